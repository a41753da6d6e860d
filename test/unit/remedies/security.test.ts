import { describe, expect, it } from 'vitest';
import { readPod } from '../../../src/pod/pod.ts';
import type { ImageUser } from '../../../src/remedies/image-answer.ts';
import { securityOf } from '../../../src/remedies/security.ts';

describe('securityOf', () => {
  function security(container: object, pod: object = {}, imageUser: ImageUser = 'unknown') {
    const read = readPod({
      spec: { securityContext: pod, containers: [{ name: 'app', securityContext: container }] },
    });
    const [app] = read.containers;
    if (!app) throw new Error('no container');
    return securityOf(app, read, imageUser);
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
    ['root', {}, true, false],
    ['not-root', {}, false, true],
    ['not-root', { runAsUser: 0 }, true, false],
    ['root', { runAsUser: 1000 }, false, true],
    ['root', { runAsNonRoot: true }, false, true],
    ['not-root', { runAsNonRoot: true }, false, true],
  ] as const)('an image of %s, %j: root %s, non-root %s', (imageUser, container, maybeRoot, maybeNonRoot) => {
    expect(security(container, {}, imageUser)).toMatchObject({ maybeRoot, maybeNonRoot });
    expect(security({}, container, imageUser)).toMatchObject({ maybeRoot, maybeNonRoot });
  });
  it.each([
    [undefined, undefined, false],
    [['ALL'], undefined, true],
    [['all'], undefined, true],
    [['KILL'], undefined, true],
    [['CAP_KILL'], undefined, true],
    [['NET_RAW'], undefined, false],
    [['ALL'], ['KILL'], false],
    [['ALL'], ['kill'], false],
    [['ALL'], ['CAP_KILL'], true],
    [['KILL'], ['KILL'], true],
    [['KILL'], ['ALL'], true],
    [['ALL'], ['ALL'], true],
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
