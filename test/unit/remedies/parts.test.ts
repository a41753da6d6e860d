import { describe, expect, it } from 'vitest';
import { readPod } from '../../../src/pod/pod.ts';
import { freeMountPath, overlaps } from '../../../src/remedies/mount-path.ts';
import { pid1UseOf } from '../../../src/remedies/pid1-use.ts';
import { securityOf } from '../../../src/remedies/security.ts';

describe('overlaps', () => {
  it.each([
    ['/a', '/a', true],
    ['/a', '/a/', true],
    ['/a', '//a/.', true],
    ['/a', '/a/b', true],
    ['/a/b', '/a', true],
    ['/', '/a', true],
    ['/a/../b', '/b/c', true],
    ['/a', '/ab', false],
    ['/a', '/b', false],
    ['/.gravekeeper', '/.gravekeeper-2', false],
  ])('%s and %s: %s', (one, other, expected) => {
    expect(overlaps(one, other)).toBe(expected);
    expect(overlaps(other, one)).toBe(expected);
  });
});

describe('freeMountPath', () => {
  const containers = (...paths: string[]) =>
    readPod({
      spec: {
        containers: paths.map((mountPath) => ({ name: 'x', volumeMounts: [{ name: 'v', mountPath }] })),
      },
    }).containers;
  it.each([
    [[], '/.gravekeeper'],
    [['/data'], '/.gravekeeper'],
    [['/.gravekeeper'], '/.gravekeeper-2'],
    [['/.gravekeeper/x', '/.gravekeeper-2/'], '/.gravekeeper-3'],
    [['/'], null],
  ])('beside %j: %s', (paths, expected) => {
    expect(freeMountPath(containers(...paths))).toBe(expected);
  });
  it('keeps clear of devices', () => {
    const [container] = readPod({
      spec: { containers: [{ name: 'x', volumeDevices: [{ name: 'd', devicePath: '/.gravekeeper/disk' }] }] },
    }).containers;
    expect(container && freeMountPath([container])).toBe('/.gravekeeper-2');
  });
});

describe('pid1UseOf', () => {
  it.each([
    [['nsenter', '-t', '1', '-m', 'ls']],
    [['nsenter', '--target=1', '-m']],
    [['nsenter', '-m', '-t1', 'ls']],
    [['sh', '-c', 'jcmd 1 VM.uptime']],
    [['jstack', '-l', '1']],
    [['jmap', '-histo', '1']],
    [['ps', '-p', '1']],
    [['ps', '-o', 'comm=', '-p1']],
    [['ps', '--pid', '1']],
    [['cat', '/proc/1/comm']],
    [['grep', '-q', 'x', '/proc/1/cmdline']],
    [['sh', '-c', 'readlink /proc/1/exe']],
    [['sh', '-c', '[ $$ = 1 ] && exec x']],
    [['sh', '-c', 'if [ "$$" -eq 1 ]; then x; fi']],
    [['bash', '-c', '[[ $$ == 1 ]]']],
    [['sh', '-c', 'test 1 -eq $$']],
  ])('%j looks at who PID 1 is', (words) => {
    expect(pid1UseOf([words])).toEqual({ identity: true, any: true });
  });
  it.each([
    [['kill', '1']],
    [['kill', '-TERM', '1']],
    [['sh', '-c', 'kill -s QUIT 1; sleep 5']],
    [['sh', '-c', 'echo hi > /proc/1/fd/1']],
    [['ls', '/proc/1']],
    [['strace', '-p', '1']],
  ])('%j only signals or reads it', (words) => {
    expect(pid1UseOf([words])).toEqual({ identity: false, any: true });
  });
  it.each([
    [['kill', '-1', '12']],
    [['kill', '12']],
    [['sh', '-c', 'kill 10; sleep 1']],
    [['sh', '-c', 'kill $pid | head 1']],
    [['cat', '/proc/10/comm']],
    [['cat', '/proc/self/status']],
    [['ps', '-p', '12']],
    [['ps', 'aux']],
    [['nsenter', '-t', '100', '-m']],
    [['jcmd', 'app', 'VM.uptime']],
    [['sh', '-c', 'echo $$']],
    [['sh', '-c', '[ $? = 1 ]']],
    [['sh', '-c', '[ $$ = 10 ]']],
    [['head', '-n', '1', 'file']],
  ])('%j does neither', (words) => {
    expect(pid1UseOf([words])).toEqual({ identity: false, any: false });
  });
});

describe('securityOf', () => {
  function security(container: object, pod: object = {}) {
    const read = readPod({
      spec: { securityContext: pod, containers: [{ name: 'app', securityContext: container }] },
    });
    const [app] = read.containers;
    if (!app) throw new Error('no container');
    return securityOf(app, read);
  }
  it.each([
    [{}, {}, true, true],
    [{ runAsUser: 0 }, {}, true, false],
    [{ runAsUser: 1000 }, {}, false, true],
    [{}, { runAsUser: 1000 }, false, true],
    [{ runAsUser: 0 }, { runAsUser: 1000 }, true, false],
    [{ runAsUser: 1000 }, { runAsUser: 0 }, false, true],
    [{ runAsNonRoot: true }, {}, false, true],
    [{}, { runAsNonRoot: true }, false, true],
    [{ runAsNonRoot: false }, { runAsNonRoot: true }, true, true],
  ])('%j in %j: root %s, non-root %s', (container, pod, maybeRoot, maybeNonRoot) => {
    expect(security(container, pod)).toMatchObject({ maybeRoot, maybeNonRoot });
  });
  it.each([
    [undefined, undefined, false],
    [['ALL'], undefined, true],
    [['all'], undefined, true],
    [['KILL'], undefined, true],
    [['CAP_KILL'], undefined, true],
    [['NET_RAW'], undefined, false],
    [['ALL'], ['KILL'], false],
    [['ALL'], ['cap_kill'], false],
    [['KILL'], ['ALL'], false],
    [['ALL'], ['CHOWN'], true],
  ])('drop %j, add %j: lacks KILL %s', (drop, add, lacksKill) => {
    expect(security({ capabilities: { drop, add } })).toMatchObject({ lacksKill });
  });
  it.each([
    [{}, true],
    [{ allowPrivilegeEscalation: true }, true],
    [{ allowPrivilegeEscalation: false }, false],
  ])('%j: may escalate %s', (container, mayEscalate) => {
    expect(security(container)).toMatchObject({ mayEscalate });
  });
});
