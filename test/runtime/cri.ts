import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { run } from './run.ts';

/** Calls methods of the Container Runtime Interface, as the kubelet does. */
export interface Cri {
  /**
   * @param service `RuntimeService` or `ImageService`.
   * @param request The message of k8s.io/cri-api in protobuf's JSON.
   * @returns The answer in the same form.
   * @throws what the runtime says when it refuses.
   */
  call(service: 'RuntimeService' | 'ImageService', method: string, request: object): Promise<CriResponse>;
  readonly process: ChildProcess;
}

/** Of all answers those fields that are used here. */
export interface CriResponse {
  readonly podSandboxId?: string;
  readonly containerId?: string;
  readonly exitCode?: number;
  /** Base64. */
  readonly stdout?: string;
  readonly stderr?: string;
  readonly image?: { readonly id: string };
  readonly info?: Readonly<Record<string, string>>;
  readonly status?: { readonly state?: string };
}

/** Builds the client, a small Go program; the first time it takes a minute. */
export function buildCri(path: string): void {
  run('go', ['build', '-o', path, '.'], `${import.meta.dirname}/cri`);
}

/** Connects to a runtime, which may come up later. */
export function connect(client: string, socket: string): Cri {
  const child = spawn(client, [`unix://${socket}`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<number, PromiseWithResolvers<CriResponse>>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, response, error } = JSON.parse(line);
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (error) waiter?.reject(new Error(error));
    else waiter?.resolve(response);
  });
  child.once('close', () => {
    for (const waiter of waiting.values()) waiter.reject(new Error('the client of the runtime has ended'));
  });
  let calls = 0;
  return {
    process: child,
    call(service, method, request) {
      calls += 1;
      const waiter = Promise.withResolvers<CriResponse>();
      waiting.set(calls, waiter);
      child.stdin.write(`${JSON.stringify({ id: calls, service, method, request })}\n`);
      return waiter.promise;
    },
  };
}
