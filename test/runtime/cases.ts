import { fiveProbes, hungShim, orphansUnderStoppedShim, removeLeaver, twoTimeouts } from './acts.ts';
import type { Containerd } from './containerd.ts';
import { type ExpectedGroup, knowsDead, left, none, orphans, unreaped } from './expected.ts';
import type { ContainerSpec, Pod, PodSpec } from './pods.ts';
import type { View } from './views.ts';

/** A pod, what is done to it, and what is to be found then. */
export interface Case {
  readonly name: string;
  readonly pod: PodSpec;
  /** Called once the pod is ready. */
  act?(pod: Pod, runtime: Containerd): Promise<void>;
  /** The groups of zombies of this pod. */
  expected(view: View): readonly ExpectedGroup[];
  /** That the pod carries the annotation of an injected one, and whether the scanner has to find that it works. */
  readonly injected?: { readonly remedy: 'tini' | 'share-pid'; readonly works: boolean };
}

const container = (name: string, ...command: readonly string[]): ContainerSpec => ({ name, command });
const plain = (name: string, ...command: readonly string[]): PodSpec => ({
  name,
  qos: 'besteffort',
  pids: 'CONTAINER',
  pause: 'reaping',
  containers: [container('app', ...command)],
});
const shared = (name: string, ...command: readonly string[]): PodSpec => ({
  ...plain(name, ...command),
  qos: 'burstable',
  pids: 'POD',
});
const hostPid = (name: string, ...command: readonly string[]): PodSpec => ({
  ...plain(name, ...command),
  pids: 'NODE',
});

export const cases: readonly Case[] = [
  {
    name: 'PID 1 never waits for its own children: an orphan to all that can be seen',
    pod: plain('never-waits', '/app', 'children', '3'),
    expected: (view) => [orphans(3, view)],
  },
  {
    name: 'an app under a supervisor never waits',
    pod: plain('never-waits-supervised', '/app', 'supervisor', '3'),
    expected: (view) => [unreaped(3, view)],
  },
  {
    name: 'an app never waits, with tini',
    injected: { remedy: 'tini', works: true },
    pod: plain('never-waits-tini', '/tini', '--', '/app', 'children', '3'),
    expected: (view) => [unreaped(3, view)],
  },
  {
    name: 'an app never waits, with a shared PID namespace and a pause that reaps',
    injected: { remedy: 'share-pid', works: true },
    pod: shared('never-waits-shared', '/app', 'children', '3'),
    expected: (view) => [unreaped(3, view)],
  },
  {
    name: 'an app leaves orphans to itself',
    injected: { remedy: 'tini', works: false },
    pod: { ...plain('orphans', '/app', 'orphans', '3'), qos: 'guaranteed' },
    expected: (view) => [orphans(3, view)],
  },
  {
    name: 'an app leaves orphans to tini',
    injected: { remedy: 'tini', works: true },
    pod: plain('orphans-tini', '/tini', '--', '/app', 'orphans', '3'),
    expected: none,
  },
  {
    name: 'an app leaves orphans to a pause that reaps',
    injected: { remedy: 'share-pid', works: true },
    pod: shared('orphans-shared', '/app', 'orphans', '3'),
    expected: none,
  },
  {
    name: 'five exec probes leave an orphan each',
    pod: plain('probes', '/app', 'sleep'),
    act: fiveProbes,
    expected: (view) => [orphans(5, view)],
  },
  {
    name: 'five exec probes leave an orphan each to tini',
    pod: plain('probes-tini', '/tini', '--', '/app', 'sleep'),
    act: fiveProbes,
    expected: none,
  },
  {
    name: 'five exec probes leave an orphan each to a pause that reaps',
    pod: shared('probes-shared', '/app', 'sleep'),
    act: fiveProbes,
    expected: none,
  },
  {
    name: 'probes and a sidecar leave orphans to a pause that does not reap',
    injected: { remedy: 'share-pid', works: false },
    pod: {
      ...shared('probes-shared-lazy', '/app', 'sleep'),
      pause: 'lazy',
      containers: [container('app', '/app', 'sleep'), container('sidecar', '/app', 'orphans', '2')],
    },
    act: fiveProbes,
    expected: (view) =>
      knowsDead(view) ? [left(5, view, 'app'), left(2, view, 'sidecar')] : [left(7, view, 'app')],
  },
  {
    name: 'two exec probes run into their timeout',
    pod: plain('timeouts', '/app', 'sleep'),
    act: twoTimeouts,
    expected: (view) => [orphans(2, view)],
  },
  {
    name: 'two exec probes run into their timeout, with tini',
    pod: plain('timeouts-tini', '/tini', '--', '/app', 'sleep'),
    act: twoTimeouts,
    expected: none,
  },
  {
    name: 'a container that left orphans to pause is removed',
    pod: {
      ...shared('removed', '/app', 'sleep'),
      pause: 'lazy',
      containers: [container('app', '/app', 'sleep'), container('leaver', '/app', 'orphans-and-end', '2')],
    },
    act: removeLeaver,
    expected: (view) => [left(2, view, 'leaver')],
  },
  {
    name: 'a stopped shim adopts the orphans of a pod with hostPID',
    pod: hostPid('host-pid', '/app', 'orphans-at-usr1', '3'),
    act: orphansUnderStoppedShim,
    expected: (view) => [
      {
        count: 3,
        ...(knowsDead(view)
          ? { kind: 'orphan', podKnown: true, container: 'app', evidence: 'own-cgroup' }
          : { kind: 'runtime', podKnown: false, container: null, evidence: null }),
        certain: false,
        fixableBy: 'runtime',
        parent: { comm: 'containerd-shim', isPid1: false },
      },
    ],
  },
  {
    name: 'a shim hangs and does not wait for runc',
    pod: plain('hung-shim', '/app', 'sleep'),
    act: hungShim,
    expected: (view) => [
      {
        count: 1,
        kind: 'runtime',
        // Under v1 an orphan of a pod with hostPID would look the same.
        certain: knowsDead(view),
        fixableBy: 'runtime',
        podKnown: false,
        container: null,
        parent: { comm: 'containerd-shim', isPid1: false },
        evidence: null,
      },
    ],
  },
  {
    name: 'an app that calls itself containerd-shim never waits',
    pod: plain('forged', '/tini', '--', '/containerd-shim-runc-v2', 'children', '2'),
    expected: (view) => [unreaped(2, view, 'containerd-shim')],
  },
  {
    name: 'an app with hostPID that calls itself containerd-shim never waits',
    pod: hostPid('forged-host-pid', '/containerd-shim-runc-v2', 'children', '2'),
    expected: (view) => [unreaped(2, view, 'containerd-shim')],
  },
  {
    name: 'a static pod, known to cgroups by the hash of its configuration',
    pod: { ...plain('static', '/app', 'orphans', '2'), static: true },
    expected: (view) => [orphans(2, view)],
  },
  {
    name: 'names of zombies look like the fields that follow them',
    pod: plain('odd-names', '/tini', '--', '/app', 'odd-names'),
    expected: (view) => [unreaped(2, view)],
  },
  {
    name: 'PID 1 of a PID namespace within a container leaves orphans to itself',
    pod: {
      ...plain('nested'),
      containers: [{ ...container('app', '/app', 'nested', '2'), addedCapability: 'SYS_ADMIN' }],
    },
    expected: (view) => [orphans(2, view)],
  },
  {
    name: 'the first thread of a process has ended, and another one lives',
    pod: plain('leaderless', '/app', 'leaderless'),
    expected: none,
  },
  {
    name: 'children of an app are zombies all the time, but none for long',
    pod: plain('churn', '/app', 'churn', '4'),
    expected: none,
  },
];

/** A pod of which the scanner has to know how many processes it may have, and how much memory. */
export const limitedZombies = 5;
export const limitedPod: PodSpec = {
  ...plain('limited'),
  qos: 'burstable',
  pidsMax: 40,
  containers: [
    { ...container('app', '/app', 'orphans', String(limitedZombies)), memoryBytes: 64 * 1024 * 1024 },
  ],
};
