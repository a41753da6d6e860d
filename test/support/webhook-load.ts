import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { json } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { realisticReview } from './review.ts';

/** Clients that send reviews to a webhook, one after the other, until they are stopped. */
export interface Load {
  /** How many reviews were answered well. */
  readonly answered: number;
  /** Why reviews were not. */
  readonly failures: readonly string[];
  /** Resolves after so many more good answers. */
  more(answers: number): Promise<void>;
  stop(): Promise<void>;
}

/** What kind of clients, and where they send to. */
export interface LoadOptions {
  /** Ports to choose from before each review. */
  readonly ports: () => readonly number[];
  /** CA certificates that the clients trust. */
  readonly ca: string;
  readonly clients: number;
  /** Whether a client keeps its connection, as the API server does, or makes one for each review. */
  readonly keepAlive: boolean;
  /** What is sent, in turn; left out, a review of a pod that is changed. */
  readonly reviews?: readonly Buffer[];
}

const usualReview = Buffer.from(JSON.stringify(realisticReview('shop')));

/** Starts sending. A review that nobody answers, or not with an admission, is a failure. */
export function startLoad({ ports, ca, clients, keepAlive, reviews = [usualReview] }: LoadOptions): Load {
  const agent = new Agent({ keepAlive, ca, servername: 'localhost', maxCachedSessions: 0 });
  const failures: string[] = [];
  const milestones = new Set<{ at: number; resolve: () => void }>();
  let answered = 0;
  let stopped = false;

  const client = async (number: number) => {
    for (let round = number; !stopped; round += 1) {
      const candidates = ports();
      const port = candidates[round % candidates.length];
      try {
        if (port === undefined) throw new Error('there is no webhook to send to');
        await askForAdmission(port, agent, reviews[round % reviews.length] ?? usualReview);
        answered += 1;
      } catch (error) {
        failures.push(error instanceof Error ? `${error.message} (${port})` : String(error));
      }
      for (const milestone of milestones) {
        if (answered + failures.length < milestone.at) continue;
        milestones.delete(milestone);
        milestone.resolve();
      }
    }
  };
  const running = Array.from({ length: clients }, (_, number) => client(number));
  return {
    get answered() {
      return answered;
    },
    failures,
    more: (answers) =>
      new Promise((resolve) => void milestones.add({ at: answered + failures.length + answers, resolve })),
    async stop() {
      stopped = true;
      await Promise.all(running);
      agent.destroy();
    },
  };
}

async function askForAdmission(port: number, agent: Agent, review: Buffer): Promise<void> {
  const call = request({
    host: '127.0.0.1',
    port,
    path: '/mutate',
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', 'content-length': review.length },
  });
  call.end(review);
  const [response] = await once(call, 'response');
  const answer = JSON.stringify(await json(response));
  if (response.statusCode !== 200 || !answer.includes('"allowed":true')) {
    throw new Error(`HTTP ${response.statusCode}: ${answer.slice(0, 200)}`);
  }
}

/** The certificate that a new connection gets: its SHA-256. */
export async function servedFingerprint(port: number, ca: string): Promise<string | undefined> {
  const agent = new Agent({ ca, servername: 'localhost', maxCachedSessions: 0 });
  const call = request({ host: '127.0.0.1', port, path: '/healthz', agent }).end();
  const [response] = await once(call, 'response');
  const socket: TLSSocket = response.socket;
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
  response.resume();
  await once(response, 'end');
  return fingerprint;
}

/** Whether a webhook says that it is ready. */
export async function saysReady(port: number, ca: string): Promise<boolean> {
  const call = request({
    host: '127.0.0.1',
    port,
    path: '/readyz',
    ca,
    servername: 'localhost',
    agent: false,
  }).end();
  try {
    const [response] = await once(call, 'response');
    response.resume();
    return response.statusCode === 200;
  } catch {
    return false;
  }
}
