import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { annotationKeys } from '../../src/policy/keys.ts';
import type { ScanReport } from '../../src/scanner/report.ts';
import { awaitZombies } from './acts.ts';
import { startApiServer } from './api-server.ts';
import { type Case, limitedPod, limitedZombies } from './cases.ts';
import { type Containerd, type Parts, startContainerd } from './containerd.ts';
import { type Pause, pauses } from './images.ts';
import { type Pod, startPod } from './pods.ts';
import { descendants, readProcesses } from './proc.ts';
import { type Runner, runnerInPod, runnerOnNode, scanInPod, scannerPod, scanOnNode } from './scan.ts';
import { sweep, sweptFolder } from './sweep.ts';
import type { View } from './views.ts';

/** How the scanner is run. */
export const ways = ['on the node', 'in a pod', 'with names'] as const;
export type Way = (typeof ways)[number];

/** Whatever came of something that was tried. */
type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** All pods of a view, and what the scanner says of them. */
export interface Stage {
  /** @throws what went wrong when the pod was made. */
  podOf(of: Case): Pod;
  /** The pod with limits; there is none under cgroup v2. */
  limited(): Pod;
  /** The PIDs of a pod's processes and of its shim, as they were when the scanner looked. */
  pidsOf(pod: Pod): ReadonlySet<number>;
  /** The UID that the API server knows a pod by. */
  apiUid(pod: Pod): string;
  /** @throws what went wrong when the scanner ran. */
  report(way: Way): ScanReport;
  /** What runs as the scanner does. */
  runner(way: Way): Runner;
  end(): void;
}

/** Where the cgroups of pods have limits on processes and memory: v2 has no controllers while v1 has them. */
export const hasLimits = (view: View): boolean => view.cgroups !== 'v2';

/** Makes all pods of a view, each with its zombies, and lets the scanner look at them. */
export async function setStage(view: View, parts: Parts, cases: readonly Case[]): Promise<Stage> {
  const folder = sweptFolder();
  const runtime = await startContainerd(folder, parts, view);
  const pods = new Map<Case, Outcome<Pod>>();
  let limited: Outcome<Pod> = { error: new Error('there is no such pod in this view') };
  let scanner: Outcome<Pod> = { error: new Error('not started') };
  for (const pause of Object.keys(pauses) as Pause[]) {
    await runtime.choosePause(pause);
    const started = cases
      .filter(({ pod }) => pod.pause === pause)
      .map(async (one) => void pods.set(one, await outcome(() => startCase(runtime, one, view))));
    if (pause === 'reaping') {
      scanner = await outcome(() => startPod(runtime, scannerPod, view));
      if (hasLimits(view)) limited = await outcome(() => startLimited(runtime, view));
    }
    await Promise.all(started);
  }

  const apiUids = new Map<Pod, string>();
  const apiUid = (pod: Pod): string => {
    if (!pod.spec.static) return pod.uid;
    const uid = apiUids.get(pod) ?? randomUUID();
    apiUids.set(pod, uid);
    return uid;
  };
  const listed = [...pods].flatMap(([{ injected }, one]) =>
    'error' in one
      ? []
      : { pod: one.value, uid: apiUid(one.value), annotations: injected ? statusOf(injected.remedy) : {} },
  );
  const configFolder = join(folder, 'config');
  mkdirSync(configFolder);
  const api = await startApiServer(configFolder, listed);
  const onNode = runnerOnNode(runtime);
  const runners: Record<Way, Runner> = {
    'on the node': onNode,
    'in a pod': (argv) => runnerInPod(runtime, unwrap(scanner))(argv),
    'with names': onNode,
  };
  const reports: Record<Way, Outcome<ScanReport>> = {
    'on the node': await outcome(() => scanOnNode(onNode)),
    'in a pod': await outcome(() => scanInPod(runners['in a pod'])),
    'with names': await outcome(() => scanOnNode(onNode, '--kubeconfig', api.kubeconfig)),
  };
  api.close();
  const processes = readProcesses();
  return {
    podOf: (one) => unwrap(pods.get(one) ?? { error: new Error('the pod is not in this view') }),
    limited: () => unwrap(limited),
    pidsOf: ({ shimPid }) => new Set(descendants([shimPid], processes).map(({ pid }) => pid)),
    apiUid,
    report: (way) => unwrap(reports[way]),
    runner: (way) => runners[way],
    end: () => sweep(folder),
  };
}

async function startCase(runtime: Containerd, one: Case, view: View): Promise<Pod> {
  const pod = await startPod(runtime, one.pod, view);
  await one.act?.(pod, runtime);
  const expected = one.expected(view).reduce((sum, { count }) => sum + count, 0);
  await awaitZombies(pod, expected);
  return pod;
}

async function startLimited(runtime: Containerd, view: View): Promise<Pod> {
  const pod = await startPod(runtime, limitedPod, view);
  await awaitZombies(pod, limitedZombies);
  return pod;
}

/** The annotation that an injected pod carries. */
function statusOf(remedy: string): Record<string, string> {
  const status = { remedy, containers: ['app'], reason: 'chosen-by-label', version: 'test' };
  return { [annotationKeys.status]: JSON.stringify(status) };
}

async function outcome<T>(attempt: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await attempt() };
  } catch (error) {
    return { error };
  }
}

function unwrap<T>(one: Outcome<T>): T {
  if ('error' in one) throw one.error;
  return one.value;
}
