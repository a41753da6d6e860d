import { isJsonObject } from '../pod/json.ts';
import { type ApiServer, describeError, describeRefusal, isDone } from './api-server.ts';
import type { EventSource, PodEvent } from './event-object.ts';
import { type Clock, systemClock } from './pace.ts';
import { putEvent, type Said } from './put-event.ts';
import { createTokenBucket } from './token-bucket.ts';

/** What became of an Event. */
export const sendResults = ['sent', 'repeated', 'rate-limited', 'refused'] as const;
export type SendResult = (typeof sendResults)[number];

/** Says things on pods, but not too often. */
export interface EventSender {
  /** Sends an Event in the background, or not; it never throws. */
  send(event: PodEvent): void;
  /** Ends the request under way, and sends nothing any more. */
  stop(): Promise<void>;
}

/** How Events are sent. */
export interface EventSenderOptions extends EventSource {
  /**
   * Told what became of each Event: `sent`; `repeated`, since it was sent within the last hour; `rate-limited`, to be
   * tried again when it is sent again; or `refused`, with the reason in words. It must not throw.
   */
  count(result: SendResult, why: string | null): void;
  readonly clock?: Clock;
  /** The time of day. */
  readonly today?: () => Date;
}

const repeatAfterMs = 60 * 60_000;
const forgetAfterMs = 2 * 60 * 60_000;
const mostSeries = 1000;
const burst = 10;
const everyMs = 6000;
const mostWaiting = 20;
const firstRetryMs = 60_000;
const longestRetryMs = 60 * 60_000;

/** What is known of the Events of one pod and key. */
interface Series {
  /** What was sent, and when by the clock; null for nothing. */
  said: (Said & { readonly clockMs: number }) | null;
  /** By the clock. */
  seenAt: number;
  waiting: boolean;
  refusals: number;
  /** By the clock; not tried before. */
  retryAt: number;
}

/**
 * Sends Events on pods. The first of a pod and key is created; those within the hour are dropped; after that it is
 * brought up to date. Ten go at once, then one every six seconds; one request at a time. What the API server refuses
 * is tried again when it comes again, first after a minute, and less and less often up to an hour.
 *
 * @param api The API server; its user needs the rights to create and patch events.
 */
export function createEventSender(
  api: ApiServer,
  { component, node, count, clock = systemClock, today = () => new Date() }: EventSenderOptions,
): EventSender {
  const bucket = createTokenBucket(burst, everyMs, clock);
  const stopping = new AbortController();
  /** Those seen last at the end. */
  const known = new Map<string, Series>();
  const waiting: { event: PodEvent; series: Series }[] = [];
  let sending = Promise.resolve();

  const refuse = (series: Series, why: string, retryAfterMs: number) => {
    series.refusals += 1;
    const wait = Math.min(firstRetryMs * 2 ** (series.refusals - 1), longestRetryMs);
    series.retryAt = clock.now() + Math.max(wait, retryAfterMs);
    bucket.pause(Math.min(retryAfterMs, longestRetryMs));
    count('refused', why);
  };
  const deliver = async (event: PodEvent, series: Series): Promise<void> => {
    const at = today();
    const { said } = series;
    const outcome = await putEvent(api, event, { component, node }, said, at, stopping.signal).catch(
      describeError,
    );
    series.waiting = false;
    if (stopping.signal.aborted) return;
    if (typeof outcome === 'string') return refuse(series, outcome, 0);
    if (!isDone(outcome)) return refuse(series, describeRefusal(outcome), outcome.retryAfterMs ?? 0);
    const number = isJsonObject(outcome.body) ? outcome.body.count : undefined;
    series.said = {
      firstAt: said?.firstAt ?? at,
      count: typeof number === 'number' ? number : (said?.count ?? 0) + 1,
      clockMs: clock.now(),
    };
    series.refusals = 0;
    count('sent', null);
  };
  const deliverNext = async (): Promise<void> => {
    const next = waiting.shift();
    if (next !== undefined && !stopping.signal.aborted) await deliver(next.event, next.series);
  };

  return {
    send(event) {
      if (stopping.signal.aborted) return;
      const series = seen(known, event, clock.now());
      if (series.waiting || (series.said !== null && series.seenAt - series.said.clockMs < repeatAfterMs)) {
        return count('repeated', null);
      }
      if (series.seenAt < series.retryAt || waiting.length >= mostWaiting || !bucket.take()) {
        return count('rate-limited', null);
      }
      series.waiting = true;
      waiting.push({ event, series });
      sending = sending.then(deliverNext);
    },
    async stop() {
      stopping.abort(new Error('stopped'));
      await sending;
    },
  };
}

/** Notes that an event was seen, and forgets those that were not for long, or longest. */
function seen(known: Map<string, Series>, { pod, key }: PodEvent, now: number): Series {
  const id = `${pod.uid}\0${key}`;
  const series: Series = known.get(id) ?? {
    said: null,
    seenAt: now,
    waiting: false,
    refusals: 0,
    retryAt: Number.NEGATIVE_INFINITY,
  };
  series.seenAt = now;
  known.delete(id);
  known.set(id, series);
  for (const [oldest, { seenAt }] of known) {
    if (known.size <= mostSeries && now - seenAt < forgetAfterMs) break;
    known.delete(oldest);
  }
  return series;
}
