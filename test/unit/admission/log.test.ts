import { describe, expect, it } from 'vitest';
import { createLog } from '../../../src/admission/log.ts';

function captured() {
  const lines: string[] = [];
  return { lines, destination: { write: (line: string) => void lines.push(line) } };
}

describe('createLog', () => {
  it('writes one JSON object per line, with level and time in words', () => {
    const { lines, destination } = captured();
    createLog('info', destination).info({ uid: 'u' }, 'reviewed');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('\n')).toBe(true);
    const line: unknown = JSON.parse(lines[0] ?? '');
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      uid: 'u',
      msg: 'reviewed',
    });
  });

  it('leaves out what is below its level', () => {
    const { lines, destination } = captured();
    const log = createLog('warn', destination);
    log.info('quiet');
    log.warn('loud');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['loud']);
  });

  it('writes an error with its stack, on the same line', () => {
    const { lines, destination } = captured();
    createLog('info', destination).error({ err: new Error('bang') }, 'failed');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '').err).toMatchObject({
      message: 'bang',
      stack: expect.stringContaining('log.test'),
    });
  });
});
