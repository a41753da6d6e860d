import type { Answer, ApiServer, Method } from './api-server.ts';
import { type EventSource, eventName, eventObject, news, type PodEvent } from './event-object.ts';

/** What was said before of a pod and key. */
export interface Said {
  readonly firstAt: Date;
  readonly count: number;
}

const timeoutMs = 10_000;

/**
 * Creates an Event, or brings the one that is there up to date.
 *
 * @param api The API server; its user needs the rights to create and patch events.
 * @param source Who says it.
 * @param before What this process has said before; null for nothing.
 * @param at The time of day.
 * @param signal Ends the request.
 * @returns The last answer; its body is the Event where that was done.
 * @throws {Error} in words if there is no answer in 10 s.
 */
export async function putEvent(
  api: ApiServer,
  event: PodEvent,
  source: EventSource,
  before: Said | null,
  at: Date,
  signal: AbortSignal,
): Promise<Answer> {
  const events = `/api/v1/namespaces/${encodeURIComponent(event.pod.namespace)}/events`;
  const request = (method: Method, path: string, body: object, contentType: string) =>
    api.request(method, path, body, { contentType, timeoutMs, signal });
  const create = () => {
    const object = eventObject(event, source, (before?.count ?? 0) + 1, before?.firstAt ?? at, at);
    return request('POST', events, object, 'application/json');
  };
  const patch = (count: number | null) => {
    const path = `${events}/${encodeURIComponent(eventName(event))}`;
    return request('PATCH', path, news(event, count, at), 'application/merge-patch+json');
  };
  if (before === null) {
    const answer = await create();
    // The scanner that ran on this node before has said so already.
    return answer.status === 409 ? patch(null) : answer;
  }
  const answer = await patch(before.count + 1);
  // The API server forgets an Event after an hour (--event-ttl).
  return answer.status === 404 ? create() : answer;
}
