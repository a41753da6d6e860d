import { createHash } from 'node:crypto';
import { escapeText } from '../terminal.ts';

/** Something to be said on a pod, as `kubectl describe pod` shows it. */
export interface PodEvent {
  /** `uid` as kubectl looks it up: of a static pod, the hash of its configuration. */
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** Null for the whole pod. */
  readonly container: string | null;
  /** What it is about, the same each time; any text. */
  readonly key: string;
  /** In CamelCase, such as `ZombieProcesses`. */
  readonly reason: string;
  /** For people; at most 1,024 bytes of it are sent. */
  readonly message: string;
  readonly type: 'Normal' | 'Warning';
}

/** Who says it. */
export interface EventSource {
  readonly component: string;
  /** The node's name. */
  readonly node: string;
}

const longestMessage = 1024;
const longestName = 253;

/**
 * The name of an Event's object. It is the same for the same pod and key, so that a scanner that was restarted finds
 * what it has said before.
 */
export function eventName({ pod, key }: PodEvent): string {
  const hash = createHash('sha256').update(`${pod.uid}\0${key}`).digest('hex').slice(0, 16);
  return `${pod.name.slice(0, longestName - hash.length - 1).replace(/[^a-z0-9]+$/, '')}.${hash}`;
}

/**
 * An Event of the core group about a pod.
 *
 * @param count How often it has happened.
 * @param first When it happened first.
 * @param last When it happened last.
 */
export function eventObject(
  event: PodEvent,
  source: EventSource,
  count: number,
  first: Date,
  last: Date,
): object {
  const { pod, container, reason, type } = event;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace: pod.namespace, name: eventName(event) },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: pod.namespace,
      name: pod.name,
      uid: pod.uid,
      ...(container === null ? {} : { fieldPath: `spec.containers{${container}}` }),
    },
    reason,
    type,
    source: { component: source.component, host: source.node },
    reportingComponent: source.component,
    reportingInstance: source.node,
    firstTimestamp: timestamp(first),
    ...news(event, count, last),
  };
}

/**
 * What changes in an Event when the same happens again: a JSON merge patch.
 *
 * @param count How often it has happened; null leaves the number that is there.
 * @param last When it happened last.
 */
export function news({ message }: PodEvent, count: number | null, last: Date): object {
  return {
    ...(count === null ? {} : { count }),
    lastTimestamp: timestamp(last),
    message: cutToBytes(escapeText(message), longestMessage),
  };
}

function timestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Cuts text to so many bytes of UTF-8, without breaking a character. */
function cutToBytes(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  const mark = '…';
  let end = most - Buffer.byteLength(mark);
  // Bytes 10xxxxxx go on with a character that has begun before.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + mark;
}
