import { expect, it } from 'vitest';
import type { Answer, ApiServer } from '../../../src/kube/api-server.ts';
import { patient } from '../../../src/kube/patient.ts';

const busy = (retryAfterMs: number | null): Answer => ({ status: 429, body: null, text: '', retryAfterMs });
const done: Answer = { status: 200, body: {}, text: '', retryAfterMs: null };

/** An API server that gives these answers, the last of them for ever, and what waiting there was. */
function answering(...answers: readonly Answer[]) {
  const waits: number[] = [];
  let asked = 0;
  const inner: ApiServer = {
    async request() {
      asked += 1;
      return answers[Math.min(asked, answers.length) - 1] ?? done;
    },
  };
  const sleep = async (ms: number) => void waits.push(ms);
  return { inner, api: patient(inner, sleep), waits, asked: () => asked };
}

it('asks again as soon as a busy server wants to be asked', async () => {
  const { api, waits } = answering(busy(1000), busy(60_000), done);
  expect(await api.request('GET', '/')).toBe(done);
  expect(waits).toEqual([1000, 10_000]);
});

it('comes to an end with a server that stays busy', async () => {
  const { api, asked } = answering(busy(1000));
  expect((await api.request('GET', '/')).status).toBe(429);
  expect(asked()).toBe(6);
});

it.each([
  ['a server that does not say for how long', busy(null)],
  ['any other refusal', { ...done, status: 503, retryAfterMs: 1000 }],
])('gives the answer of %s', async (_, answer) => {
  const { api, asked } = answering(answer);
  expect(await api.request('GET', '/')).toBe(answer);
  expect(asked()).toBe(1);
});

it('gives up with whoever asked', async () => {
  const { inner, asked } = answering(busy(1000));
  const signal = AbortSignal.abort();
  await expect(patient(inner).request('GET', '/', undefined, { signal })).rejects.toThrow('aborted');
  expect(asked()).toBe(1);
});
