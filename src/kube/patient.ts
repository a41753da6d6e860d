import { setTimeout as delay } from 'node:timers/promises';
import type { ApiServer } from './api-server.ts';

const mostTries = 6;
const longestWaitMs = 10_000;

type Sleep = (ms: number, signal: AbortSignal | undefined) => Promise<void>;

const sleepWell: Sleep = (ms, signal) => delay(ms, undefined, signal ? { signal } : {});

/**
 * Asks an API server again that says it is busy: with 429 and how long it wants to be left alone, as it does when too
 * many ask it, and in the first moments of a CustomResourceDefinition. Nothing was done then, so any request may be
 * repeated. It is what client-go does for every program in Go.
 *
 * @param api The API server.
 * @param sleep Waits so many milliseconds; it rejects when the signal aborts.
 * @returns The same, which gives the last answer after six.
 */
export function patient(api: ApiServer, sleep: Sleep = sleepWell): ApiServer {
  return {
    async request(method, path, body, options = {}) {
      for (let tried = 1; ; tried += 1) {
        const answer = await api.request(method, path, body, options);
        const { status, retryAfterMs } = answer;
        if (status !== 429 || retryAfterMs === null || tried === mostTries) return answer;
        await sleep(Math.min(retryAfterMs, longestWaitMs), options.signal);
      }
    },
  };
}
