import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isZombie, type Process, parseStat } from '../../../src/proc/stat.ts';

/** A line of /proc/PID/stat as Linux 6.18 wrote it for a zombie, with another name and thread count put in. */
function statLine(comm: string, threads = 1): string {
  return `4242 (${comm}) Z 17 4242 4242 0 -1 4228108 103 0 0 0 0 0 0 0 20 0 ${threads} 0 987654 0 0 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n`;
}

describe('parseStat', () => {
  it('reads the fields that follow the name', () => {
    expect(parseStat(statLine('sh'))).toEqual({
      pid: 4242,
      ppid: 17,
      comm: 'sh',
      state: 'Z',
      threads: 1,
      startTime: 987654,
      flags: 4228108,
    });
  });

  it.each(['a b', '(sd-pam)', ') R 1 1', 'x) Z 1 (y', 'line\nbreak', '', '\u001b[31m', ')', 'ü€'])(
    'keeps a name of %j whole',
    (comm) => {
      expect(parseStat(statLine(comm))).toMatchObject({ comm, ppid: 17, state: 'Z', startTime: 987654 });
    },
  );

  it('keeps any name whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 15 }), (comm) => {
        expect(parseStat(statLine(comm))).toMatchObject({ comm, ppid: 17, threads: 1 });
      }),
    );
  });

  it.each([
    '',
    '4242',
    '4242 (sh',
    '4242 (sh)',
    '4242 (sh) Z',
    'x (sh) Z 1',
    ' (sh) Z 1 4242 4242 0 -1 1 103 0 0 0 0 0 0 0 20 0 1 0 987654 0',
    '4242 (sh) Z one 1 1',
    statLine('sh').replace(' Z ', ' 7 '),
    statLine('sh').replace(' Z ', ' ZZ '),
    statLine('sh').replace(' 17 ', '  '),
    statLine('sh').replace(' 17 ', ' 4194305 '),
    statLine('sh').replace(' 987654 ', ' 9876x54 '),
    statLine('sh').replace(' 987654 ', ' 98765432109876543210 '),
    statLine('sh', 4_194_305),
    '('.repeat(5000),
  ])('answers null to %j', (text) => {
    expect(parseStat(text)).toBeNull();
  });

  it('answers null or a process to any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(200), (noise, at) => {
        const line = statLine('sh');
        const process = parseStat(line.slice(0, at) + noise + line.slice(at));
        if (process !== null) expect(Object.values(process)).not.toContain(Number.NaN);
      }),
    );
  });
});

describe('isZombie', () => {
  const zombie: Process = { pid: 2, ppid: 1, comm: 'sh', state: 'Z', threads: 1, startTime: 1, flags: 0 };

  it('counts state Z with one thread', () => {
    expect(isZombie(zombie)).toBe(true);
  });

  it('does not count a first thread that has exited while others run', () => {
    expect(isZombie({ ...zombie, threads: 3 })).toBe(false);
  });

  it.each(['S', 'R', 'D', 'X', 'T'])('does not count state %s', (state) => {
    expect(isZombie({ ...zombie, state })).toBe(false);
  });
});
