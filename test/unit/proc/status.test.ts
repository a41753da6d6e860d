import { describe, expect, it } from 'vitest';
import { parseStatus } from '../../../src/proc/status.ts';

/** What Linux 6.18 wrote of a zombie in a container, the lines in between left out. */
const zombie = `Name:	sleep
State:	Z (zombie)
Tgid:	12089
Ngid:	0
Pid:	12089
PPid:	12080
TracerPid:	0
Uid:	1000	1001	1002	1003
Gid:	0	0	0	0
NSpid:	12089	5
Threads:	1
SigQ:	0/96365
SigPnd:	0000000000000000
ShdPnd:	0000000000000000
SigBlk:	0000000000000000
SigIgn:	0000000000000000
SigCgt:	0000000000000000
`;

describe('parseStatus', () => {
  it('reads what it says of a zombie', () => {
    expect(parseStatus(zombie)).toEqual({
      state: 'Z',
      threads: 1,
      nspid: [12089, 5],
      uid: 1001,
      sigchld: { caught: false, ignored: false, blocked: false, pending: false },
    });
  });

  it.each([
    ['SigCgt', 'caught'],
    ['SigIgn', 'ignored'],
    ['SigBlk', 'blocked'],
    ['SigPnd', 'pending'],
    ['ShdPnd', 'pending'],
  ])('reads SIGCHLD in %s', (mask, field) => {
    const only = (digits: string) =>
      parseStatus(zombie.replace(`${mask}:\t0000000000000000`, `${mask}:\t${digits}`))?.sigchld;
    const none = { caught: false, ignored: false, blocked: false, pending: false };
    expect(only('0000000000010000')).toEqual({ ...none, [field]: true });
    expect(only('fffffffffffeffff')).toEqual(none);
    expect(only('ffffffffffffffff')).toEqual({ ...none, [field]: true });
  });

  it('does without NSpid, which old kernels do not write', () => {
    expect(parseStatus(zombie.replace(/^NSpid.*\n/m, ''))).toMatchObject({ nspid: [], threads: 1 });
  });

  it('is not deceived by a name that looks like lines, which the kernel escapes', () => {
    const text = zombie.replace('Name:\tsleep', 'Name:\tx\\nState:\\tR\\nUid:\\t0\\t0');
    expect(parseStatus(text)).toMatchObject({ state: 'Z', uid: 1001 });
  });

  it.each(['State', 'Threads', 'Uid', 'SigBlk', 'SigIgn', 'SigCgt', 'SigPnd', 'ShdPnd'])(
    'answers null without %s, or with garbage in it',
    (name) => {
      expect(parseStatus(zombie.replace(new RegExp(`^${name}:.*\n`, 'm'), ''))).toBeNull();
      expect(parseStatus(zombie.replace(new RegExp(`^${name}:.*$`, 'm'), `${name}:\t?`))).toBeNull();
    },
  );

  it('answers null to an empty text', () => {
    expect(parseStatus('')).toBeNull();
  });
});
