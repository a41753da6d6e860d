import { describe, expect, it } from 'vitest';
import { type Answer, describeError, describeRefusal } from '../../../src/kube/api-server.ts';

const answer = (parts: Partial<Answer>): Answer => ({
  status: 403,
  body: null,
  text: '',
  retryAfterMs: null,
  ...parts,
});

describe('describeRefusal', () => {
  it.each<[string, Partial<Answer>]>([
    ['HTTP 403: pods is forbidden', { body: { kind: 'Status', message: 'pods is forbidden' } }],
    ['HTTP 502: Bad gateway', { status: 502, text: 'Bad gateway\n' }],
    ['HTTP 403', {}],
    ['HTTP 403', { body: [] }],
    ['HTTP 403: \\x1b[31mred\\x0aflag', { text: '\u001b[31mred\nflag\n' }],
    [`HTTP 403: ${'x'.repeat(300)}`, { body: { message: 'x'.repeat(5000) } }],
  ])('says %s', (words, parts) => expect(describeRefusal(answer(parts))).toBe(words));

  it('says what was asked for', () => {
    expect(describeRefusal(answer({}), '/api/v1/pods')).toBe('HTTP 403 for /api/v1/pods');
  });
});

describe('describeError', () => {
  it.each<[string, unknown]>([
    ['no answer: refused', new Error('no answer', { cause: new Error('refused') })],
    [
      '::1 refused; 127.0.0.1 refused',
      new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]),
    ],
    ['HTTP 418: teapot', Object.assign(new Error('teapot'), { statusCode: 418 })],
    ['TypeError', new TypeError()],
    ['a text', 'a text'],
    ['undefined', undefined],
  ])('says %s', (words, error) => expect(describeError(error)).toBe(words));
});
