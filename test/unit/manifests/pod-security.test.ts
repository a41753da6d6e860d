import { describe, expect, it } from 'vitest';
import { podSpecSchema, restrictedViolations } from './pod-security.ts';

const good = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'app',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
};

describe('restrictedViolations', () => {
  it('finds nothing in a pod that satisfies the standard', () => {
    expect(restrictedViolations(podSpecSchema.parse(good))).toEqual([]);
  });

  it.each([
    [{ ...good, hostPID: true }, 'a namespace of the host'],
    [{ ...good, volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'volume v'],
    [{ ...good, securityContext: { runAsNonRoot: true } }, 'app: seccompProfile'],
    [{ ...good, securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }, 'app: runAsNonRoot'],
    [{ ...good, securityContext: { ...good.securityContext, runAsUser: 0 } }, 'runAsUser of the pod'],
    [
      { ...good, containers: [{ name: 'app', securityContext: { capabilities: { drop: ['ALL'] } } }] },
      'app: allowPrivilegeEscalation',
    ],
    [
      { ...good, containers: [{ name: 'app', securityContext: { allowPrivilegeEscalation: false } }] },
      'app: capabilities to drop',
    ],
    [{ ...good, initContainers: [{ name: 'first' }] }, 'first: allowPrivilegeEscalation'],
  ])('names what is amiss: %#', (spec, violation) => {
    expect(restrictedViolations(podSpecSchema.parse(spec))).toContain(violation);
  });
});
