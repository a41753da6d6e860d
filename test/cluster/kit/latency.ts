import { ask } from './api.ts';

const histogram = 'apiserver_admission_webhook_admission_duration_seconds';

/** How often the API server has called webhooks, and how long that took. */
export interface Calls {
  readonly count: number;
  readonly seconds: number;
  /** Upper bounds in seconds, and how many calls took no longer. */
  readonly upTo: ReadonlyMap<number, number>;
}

const none: Calls = { count: 0, seconds: 0, upTo: new Map() };

/**
 * The API server's own counts since it started.
 *
 * @param webhook How the names of the webhooks end, `mutate.gravekeeper.dev` for all entries of that configuration.
 */
export async function callsOf(webhook: string): Promise<Calls> {
  const { body } = await ask<string>('GET', '/metrics');
  const lines = body
    .split('\n')
    .filter((line) => line.startsWith(histogram) && line.includes(`${webhook}"`))
    .map((line) => ({ line, amount: Number(line.slice(line.lastIndexOf(' ') + 1)) }));
  const total = (part: string) =>
    lines
      .filter(({ line }) => line.startsWith(`${histogram}_${part}`))
      .reduce((sum, { amount }) => sum + amount, 0);
  const upTo = new Map<number, number>();
  for (const { line, amount } of lines) {
    const bound = /_bucket.* ?le="([^"]+)"/.exec(line)?.[1];
    if (bound === undefined) continue;
    const seconds = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
    upTo.set(seconds, (upTo.get(seconds) ?? 0) + amount);
  }
  return { count: total('count'), seconds: total('sum'), upTo };
}

/** What came between two counts; all of the later one where the API server was started in between. */
export function callsSince(before: Calls, now: Calls): Calls {
  const base = now.count < before.count ? none : before;
  return {
    count: now.count - base.count,
    seconds: now.seconds - base.seconds,
    upTo: new Map([...now.upTo].map(([bound, count]) => [bound, count - (base.upTo.get(bound) ?? 0)])),
  };
}

/** How long calls took, in milliseconds: the mean, and bounds of quantiles. */
export function latencyOf({ count, seconds, upTo }: Calls) {
  const below = (share: number) =>
    [...upTo].sort(([a], [b]) => a - b).find(([, calls]) => calls >= count * share)?.[0] ?? 0;
  return {
    calls: count,
    meanMs: count === 0 ? 0 : Math.round((100_000 * seconds) / count) / 100,
    p50BelowMs: 1000 * below(0.5),
    p99BelowMs: 1000 * below(0.99),
  };
}
