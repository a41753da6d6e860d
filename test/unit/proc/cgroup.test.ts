import { describe, expect, it } from 'vitest';
import { parseCgroup, podCgroupOf } from '../../../src/proc/cgroup.ts';
import vectors from './cgroup-vectors.json' with { type: 'json' };

describe('parseCgroup', () => {
  it('splits at the first two colons only', () => {
    expect(parseCgroup('4:cpu,cpuacct:/a:b:c\n1:name=systemd:/x\n0::/y\n')).toEqual([
      { hierarchy: 4, controllers: ['cpu', 'cpuacct'], path: '/a:b:c', deleted: false },
      { hierarchy: 1, controllers: ['name=systemd'], path: '/x', deleted: false },
      { hierarchy: 0, controllers: [], path: '/y', deleted: false },
    ]);
  });

  it('knows a removed cgroup', () => {
    expect(parseCgroup('0::/kubepods/x y (deleted)\n')).toEqual([
      { hierarchy: 0, controllers: [], path: '/kubepods/x y', deleted: true },
    ]);
  });

  it.each(['', 'no line\n', '0:/x\n', 'x:pids:/y\n', '0::relative\n', '\0\0\0'])(
    'finds none in %j',
    (text) => {
      expect(parseCgroup(text)).toEqual([]);
    },
  );

  it('leaves out garbage between lines', () => {
    expect(parseCgroup('garbage\n0::/x\n::\n').map(({ path }) => path)).toEqual(['/x']);
  });
});

const uid = '74ba62da-1a3d-11e7-bb11-080027cb0e22';
const id = 'a'.repeat(64);
const other = 'b'.repeat(64);

describe('podCgroupOf', () => {
  it.each(vectors.map((vector) => [vector.kind, vector] as const))('%s', (_, vector) => {
    const found = parseCgroup(vector.line).map(({ path }) => podCgroupOf(path))[0];
    const { uid: podUid, cid: containerId } = vector;
    const qos = vector.qos === 'unknown' ? null : vector.qos;
    expect(found).toEqual(podUid === null && containerId === null ? null : { podUid, containerId, qos });
  });

  it.each([
    ['a child group of a container', `/kubepods/besteffort/pod${uid}/${id}/container`],
    ['a service in a container', `/kubepods/besteffort/pod${uid}/${id}/system.slice/nginx.service`],
    ['a group that the container named after another one', `/kubepods/besteffort/pod${uid}/${id}/${other}`],
    [
      'a group that the container named after another pod',
      `/kubepods/besteffort/pod${uid}/${id}/kubepods/pod9729a196c4723b60ab401eaff722982d/${other}`,
    ],
    ['a node in a container', `/docker/${other}/kubelet/kubepods/besteffort/pod${uid}/${id}`],
  ])('finds pod and container of %s', (_, path) => {
    expect(podCgroupOf(path)).toEqual({ podUid: uid, containerId: id, qos: 'besteffort' });
  });

  it('finds the pod of a group that is in no container', () => {
    expect(podCgroupOf(`/kubepods/pod${uid}`)).toEqual({
      podUid: uid,
      containerId: null,
      qos: 'guaranteed',
    });
  });

  it('does not take the monitor of a container for the container', () => {
    const slice = `kubepods-pod${uid.replaceAll('-', '_')}.slice`;
    expect(podCgroupOf(`/kubepods.slice/${slice}/crio-conmon-${id}.scope`)).toEqual({
      podUid: uid,
      containerId: null,
      qos: 'guaranteed',
    });
    expect(podCgroupOf(`/../crio-conmon-${id}.scope`)).toBeNull();
  });

  it.each([
    [`/kubepods/burstable/podmy-pod-1/${id}`, 'my-pod-1'],
    [
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podmy_pod_1.slice/crio-${id}.scope`,
      'my-pod-1',
    ],
  ])('takes any UID below kubepods: %s', (path, podUid) => {
    expect(podCgroupOf(path)).toEqual({ podUid, containerId: id, qos: 'burstable' });
  });

  it.each([
    '/podman/x',
    '/machine.slice/podman-123.scope',
    `/user.slice/pod${uid}0`,
    '/kubepods',
    '/kubepods.slice/kubepods-burstable.slice',
    `/system.slice/docker-${id.slice(1)}.scope`,
    `/system.slice/docker-${id}a.scope`,
    `/docker/${id}/kubelet.slice/kubelet.service`,
    '',
    `/${'pod-'.repeat(1000)}`,
  ])('finds nothing in %s', (path) => {
    expect(podCgroupOf(path)).toBeNull();
  });
});
