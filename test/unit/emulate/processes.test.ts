import { describe, expect, it } from 'vitest';
import { isZombie, type Process, parseStat, treeOf } from '../../../src/emulate/processes.ts';

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
    });
  });

  it.each(['a b', '(sd-pam)', ') R 1 1', 'x) Z 1 (y', 'line\nbreak', '', '\u001b[31m', ')'])(
    'keeps a name of %j whole',
    (comm) => {
      expect(parseStat(statLine(comm))).toMatchObject({ comm, ppid: 17, state: 'Z', startTime: 987654 });
    },
  );

  it.each(['', '4242', '4242 (sh', '4242 (sh)', '4242 (sh) Z', 'x (sh) Z 1', '4242 (sh) Z one 1 1'])(
    'answers null to %j',
    (text) => {
      expect(parseStat(text)).toBeNull();
    },
  );
});

describe('isZombie', () => {
  const zombie: Process = { pid: 2, ppid: 1, comm: 'sh', state: 'Z', threads: 1, startTime: 1 };

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

describe('treeOf', () => {
  const process = (pid: number, ppid: number): Process => ({
    pid,
    ppid,
    comm: 'sh',
    state: 'S',
    threads: 1,
    startTime: pid,
  });

  it('finds all generations, wherever they stand in the list, and no strangers', () => {
    const processes = [process(30, 20), process(5, 4), process(20, 10), process(10, 1), process(21, 10)];
    expect(treeOf(10, processes).map(({ pid }) => pid)).toEqual([10, 20, 21, 30]);
  });

  it('is empty when the root is gone', () => {
    expect(treeOf(10, [process(20, 10)])).toEqual([]);
  });
});
