import type { V1Pod } from '@kubernetes/client-node';
import { type Answer, type KubeObject, tryCreate } from './api.ts';
import { container, pod, podSpec, sleeping } from './pods.ts';
import { statusOf } from './product.ts';

/** What came of a stream of pod creations. */
export interface StreamOutcome {
  readonly created: number;
  /** Created, and as they were written. */
  readonly unmutated: number;
  /** Refused, with the API server's words, or not answered. */
  readonly failed: readonly string[];
}

/** Pods that are being created one after the other. */
export interface Stream {
  /** How many there are by now. */
  count(): number;
  /** Resolves when there are so many in all. */
  reach(count: number): Promise<void>;
  /** Ends it. */
  end(): Promise<StreamOutcome>;
}

/**
 * Creates pods until it is told to end. They are stored, and never scheduled.
 *
 * @param namespace One that opted in.
 * @param writers How many write at a time.
 * @param patient Whether to go on where the API server does not answer, until it does.
 */
export function streamPods(namespace: string, writers = 4, patient = false): Stream {
  const failed: string[] = [];
  let begun = 0;
  let created = 0;
  let unmutated = 0;
  let ended = false;
  const take = ({ status, body }: Answer<KubeObject & V1Pod>): void => {
    if (status !== 201) failed.push(`${status} ${(body as { message?: string }).message}`);
    else {
      created += 1;
      if (statusOf(body) === null) unmutated += 1;
    }
  };
  const write = async (): Promise<void> => {
    while (!ended) {
      begun += 1;
      const spec = podSpec([container(sleeping)], { schedulingGates: [{ name: 'test/never' }] });
      try {
        take(await tryCreate(pod(namespace, `stream-${begun}`, spec)));
      } catch (error) {
        if (!patient) failed.push(String(error));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const running = Array.from({ length: writers }, write);
  return {
    count: () => created,
    async reach(count) {
      while (created < count && !ended) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    async end() {
      ended = true;
      await Promise.all(running);
      return { created, unmutated, failed };
    },
  };
}
