import { openProcRoot } from '../../../src/proc/root.ts';
import { directoryOf, type PodFacts } from '../../../src/scanner/pod-facts.ts';
import type { ScanReport, ZombieGroup } from '../../../src/scanner/report.ts';
import { createScanner, type Scanner } from '../../../src/scanner/scanner.ts';
import type { FakeProcess, ProcTree } from '../../support/proc-tree.ts';

export const podUid = '74ba62da-1a3d-11e7-bb11-080027cb0e22';
export const otherPodUid = '15513b48-e7a5-48fc-b9e3-92f713f36504';
export const containerId = 'cb'.repeat(32);
export const sidecarId = '5d'.repeat(32);
export const sandboxId = '9a'.repeat(32);

/** The cgroup file under v2 of a process in a container. */
export function v2(uid: string, container: string): string {
  return `0::/kubepods/burstable/pod${uid}/${container}\n`;
}

/** The cgroup file of a live process on a node with cgroup v1 alone. */
export function v1(uid: string, container: string): string {
  const path = `/kubepods/burstable/pod${uid}/${container}`;
  return `12:pids:${path}\n4:memory:${path}\n1:name=systemd:${path}\n0::/\n`;
}

/** What cgroup v1 leaves of it once the process is dead. */
export const v1Dead = '12:pids:/\n4:memory:/\n1:name=systemd:/\n0::/\n';

export const runtimeService = '0::/system.slice/containerd.service\n';

export const shim: FakeProcess = {
  pid: 100,
  ppid: 1,
  comm: 'containerd-shim',
  argv: ['/usr/bin/containerd-shim-runc-v2', '-namespace', 'k8s.io', '-id', sandboxId],
  cgroup: runtimeService,
};

export const pod: PodFacts = {
  uid: podUid,
  namespace: 'shop',
  name: 'web-7d4b9c-x2x4z',
  owner: 'Deployment/web',
  labels: { app: 'web' },
  hostPid: false,
  shareProcessNamespace: false,
  runtimeClassName: null,
  containers: [
    { name: 'app', id: containerId, probes: [] },
    { name: 'sidecar', id: sidecarId, probes: [] },
  ],
  injected: null,
};

/** A scanner of a made-up machine, whose clock stands still unless it is moved. */
export function scannerOf(tree: ProcTree, clock = { ms: 1_700_100_000_000, seconds: 0 }): Scanner {
  return createScanner({
    proc: openProcRoot(tree.path),
    limits: {
      pidMax: () => 32_768,
      threadsMax: () => 100_000,
      kubepods: () => null,
      pod: () => null,
      containerMemory: () => null,
    },
    node: 'node-1',
    clock: { now: () => clock.ms, seconds: () => clock.seconds },
  });
}

/** Looks twice. */
export function scan(tree: ProcTree, pods: readonly PodFacts[] = []): ScanReport {
  const scanner = scannerOf(tree);
  scanner.look(directoryOf(pods));
  return scanner.look(directoryOf(pods));
}

/** Looks twice, and answers the one group that there must be. */
export function onlyGroup(tree: ProcTree, pods: readonly PodFacts[] = []): ZombieGroup {
  const { groups } = scan(tree, pods);
  const [group] = groups;
  if (group === undefined || groups.length > 1)
    throw new Error(`${groups.length} groups: ${JSON.stringify(groups)}`);
  return group;
}
