import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventName, eventObject, news, type PodEvent } from '../../../src/kube/event-object.ts';
import { escapeText } from '../../../src/terminal.ts';

const event = (parts: Partial<PodEvent> = {}): PodEvent => ({
  pod: { namespace: 'shop', name: 'cart-0', uid: 'u1' },
  container: 'app',
  key: 'app orphan',
  reason: 'ZombieProcesses',
  message: '7 zombies',
  type: 'Warning',
  ...parts,
});
const source = { component: 'gravekeeper-scanner', node: 'n1' };
const at = (seconds: number) => new Date(Date.UTC(2026, 10, 20, 10, 0, seconds, 123));

it('is about the container of a pod, as kubectl describe looks it up', () => {
  expect(eventObject(event(), source, 2, at(1), at(2))).toEqual({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace: 'shop', name: expect.stringMatching(/^cart-0\.[0-9a-f]{16}$/) },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: 'shop',
      name: 'cart-0',
      uid: 'u1',
      fieldPath: 'spec.containers{app}',
    },
    reason: 'ZombieProcesses',
    type: 'Warning',
    source: { component: 'gravekeeper-scanner', host: 'n1' },
    reportingComponent: 'gravekeeper-scanner',
    reportingInstance: 'n1',
    firstTimestamp: '2026-11-20T10:00:01Z',
    lastTimestamp: '2026-11-20T10:00:02Z',
    count: 2,
    message: '7 zombies',
  });
});

it('is about a whole pod', () => {
  expect(eventObject(event({ container: null }), source, 1, at(1), at(1))).not.toHaveProperty(
    'involvedObject.fieldPath',
  );
});

describe('its name', () => {
  it('is the same for the same pod and key, and no other', () => {
    const name = eventName(event());
    expect(eventName(event({ message: 'other', container: null }))).toBe(name);
    expect(eventName(event({ key: 'app unreaped-child' }))).not.toBe(name);
    expect(eventName(event({ pod: { ...event().pod, uid: 'u2' } }))).not.toBe(name);
    expect(eventName(event({ pod: { ...event().pod, uid: 'u' }, key: '1app orphan' }))).not.toBe(name);
  });

  it('is valid for the longest name of a pod', () => {
    for (const name of [
      'a'.repeat(253),
      `${'a'.repeat(235)}-${'b'.repeat(17)}`,
      `${'a'.repeat(234)}.-.${'b'.repeat(16)}`,
    ]) {
      const its = eventName(event({ pod: { ...event().pod, name } }));
      expect(its).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
      expect(its.length).toBeLessThanOrEqual(253);
    }
  });
});

describe('its message', () => {
  const messageOf = (message: string) =>
    String(Reflect.get(news(event({ message }), null, at(1)), 'message'));

  it('has no control characters', () => {
    expect(messageOf('a\u001b[31mb\nc\u202e')).toBe('a\\x1b[31mb\\x0ac\\u{202e}');
  });

  it('is cut at 1,024 bytes, between characters', () => {
    expect(messageOf('x'.repeat(1024))).toBe('x'.repeat(1024));
    expect(messageOf('x'.repeat(1025))).toBe(`${'x'.repeat(1021)}…`);
    expect(messageOf(`x${'\u{1f9df}'.repeat(400)}`)).toBe(`x${'\u{1f9df}'.repeat(255)}…`);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 300, maxLength: 1200 }), (text) => {
        const message = messageOf(text);
        expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
        expect(escapeText(text).startsWith(message.replace(/…$/, ''))).toBe(true);
      }),
    );
  });
});

it('leaves the count that is there where none is given', () => {
  expect(news(event(), null, at(1))).toEqual({ lastTimestamp: '2026-11-20T10:00:01Z', message: '7 zombies' });
});
