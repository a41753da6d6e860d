import { describe, expect, it } from 'vitest';
import { isKeptByTini, pid1UseOf } from '../../../src/remedies/pid1-use.ts';

describe('pid1UseOf', () => {
  it.each([
    [['nsenter', '-t', '1', '-m', 'ls']],
    [['nsenter', '--target=1', '-m']],
    [['nsenter', '-m', '-t1', 'ls']],
    [['nsenter', '-mt', '1', 'ls']],
    [['sh', '-c', 'jcmd 1 VM.uptime']],
    [['sh', '-c', 'exec jcmd "1" VM.uptime']],
    [['jstack', '-l', '1']],
    [['jmap', '-histo', '1']],
    [['ps', '-p', '1']],
    [['ps', '-o', 'comm=', '-p1']],
    [['ps', '-fp', '1']],
    [['ps', '--pid', '1']],
    [['ps', '--ppid', '1']],
    [['ps', '-p', '12,1']],
    [['ps', '1']],
    [['pgrep', '-P', '1']],
    [['pkill', '-HUP', '-P', '1']],
    [['sh', '-c', 'pkill --parent 1; true']],
    [['strace', '-p', '1']],
    [['py-spy', 'dump', '--pid', '1']],
    [['gcore', '1']],
    [['kill', '-HUP', '-1']],
    [['sh', '-c', 'kill -s TERM -- -1']],
    [['kill', '-ABRT', '1']],
    [['kill', '-s', 'SIGTTIN', '1']],
    [['kill', '-6', '1']],
    [['killall5', '-15']],
    [['cat', '/proc/1/comm']],
    [['cat', '/proc//1/status']],
    [['sh', '-c', 'cat /proc/{1,self}/status']],
    [['sh', '-c', 'cat "/proc/1"/status']],
    [['sh', '-c', 'cd /proc/1; cat comm']],
    [['grep', '-q', 'x', '/proc/1/cmdline']],
    [['sh', '-c', 'readlink /proc/1/exe']],
    [['sh', '-c', '[ $$ = 1 ] && exec x']],
    [['sh', '-c', 'if [ "$$" -eq 1 ]; then x; fi']],
    [['bash', '-c', '[[ $$ == 1 ]]']],
    [['bash', '-c', '(($$==1))']],
    [['sh', '-c', '[ $$ -lt 2 ]']],
    [['sh', '-c', '[ "x$$" = x1 ]']],
    [['sh', '-c', 'case $$ in 1) x;; esac']],
    [['sh', '-c', 'test 1 -eq $$']],
    [['python3', '-c', 'import os; assert os.getpid() == 1']],
    [['node', '-e', 'process.pid === 1 || die()']],
  ])('%j relies on who PID 1 is', (words) => {
    expect(pid1UseOf([words])).toMatchObject({ identity: true, any: true });
  });
  it.each([
    [['kill', '1']],
    [['kill', '-TERM', '1']],
    [['kill', '"1"']],
    [['sh', '-c', 'kill -s QUIT 1; sleep 5']],
    [['sh', '-c', 'echo hi > /proc/1/fd/1']],
    [['ls', '/proc/1']],
  ])('%j only signals or reads it', (words) => {
    expect(pid1UseOf([words])).toMatchObject({ identity: false, any: true });
  });
  it.each([
    [['kill', '-1', '12']],
    [['kill', '12']],
    [['kill', '-ABRT', '12']],
    [['sh', '-c', 'kill 10; sleep 1']],
    [['sh', '-c', 'kill $pid | head 1']],
    [['cat', '/proc/10/comm']],
    [['cat', '/proc/self/status']],
    [['ps', '-p', '12']],
    [['ps', 'aux']],
    [['pgrep', '-c', 'node']],
    [['nsenter', '-t', '100', '-m']],
    [['jcmd', 'app', 'VM.uptime']],
    [['sh', '-c', 'echo $$']],
    [['sh', '-c', 'echo $$ > /run/app.pid 2>&1']],
    [['sh', '-c', '[ $? = 1 ]']],
    [['sh', '-c', '[ $$ = 10 ]']],
    [['head', '-n', '1', 'file']],
    [['curl', '-m', '1', 'localhost']],
  ])('%j does neither', (words) => {
    expect(pid1UseOf([words])).toEqual({ identity: false, any: false, files: false });
  });
  it('knows who writes to the files of PID 1', () => {
    expect(pid1UseOf([['sh', '-c', 'exec app > /proc/1/fd/1']])).toMatchObject({ files: true });
  });
  it.each(['kill ', 'ps ', 'a;', '$$ ', '/proc/1', 'nsenter -', '= '])(
    'takes linear time for many %j',
    (piece) => {
      const long = piece.repeat(240_000 / piece.length);
      expect(pid1UseOf(Array.from({ length: 20 }, () => ['sh', '-c', long]))).toBeDefined();
    },
  );
  it('does not search what is very long, and then expects the worst', () => {
    expect(pid1UseOf([['x'.repeat(300_000)]])).toEqual({ identity: true, any: true, files: true });
  });
});

describe('isKeptByTini', () => {
  it.each(['SIGABRT', 'ABRT', 'sigttin'])('%s', (signal) => expect(isKeptByTini(signal)).toBe(true));
  it.each(['SIGTERM', 'SIGQUIT', ''])('not %j', (signal) => expect(isKeptByTini(signal)).toBe(false));
});
