import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openProcRoot } from '../../../src/proc/root.ts';
import { describeWith, eventually, privateProc, program } from '../../support/process.ts';
import { podSpecSchema, restrictedViolations } from './pod-security.ts';
import { readManifest } from './read.ts';

const podSchema = z.looseObject({
  kind: z.literal('Pod'),
  metadata: z.strictObject({ name: z.string(), namespace: z.literal('gravekeeper-zombies') }),
  spec: podSpecSchema.extend({
    terminationGracePeriodSeconds: z.number(),
    containers: z.tuple([
      podSpecSchema.shape.containers.element.extend({
        image: z.literal('docker.io/library/busybox:1.37'),
        command: z.array(z.string()),
        args: z.array(z.string()).default([]),
        livenessProbe: z.looseObject({ exec: z.strictObject({ command: z.array(z.string()) }) }).optional(),
        resources: z.looseObject({ limits: z.strictObject({ cpu: z.string(), memory: z.string() }) }),
      }),
    ]),
  }),
});

const pods = ['sleep', 'orphans', 'unreaped', 'growing'].flatMap((file) =>
  readManifest(`demo/zombies/${file}.yaml`).map((document) => podSchema.parse(document)),
);

function podNamed(name: string) {
  const pod = pods.find(({ metadata }) => metadata.name === name);
  if (pod === undefined) throw new Error(`there is no pod ${name} in manifests/demo/zombies`);
  return pod.spec.containers[0];
}

describe('the pods with zombies', () => {
  it.each(pods)('$metadata.name runs where Pod Security is restricted', ({ spec }) => {
    expect(restrictedViolations(spec)).toEqual([]);
    expect(spec.containers[0].securityContext?.readOnlyRootFilesystem).toBe(true);
  });

  it('are in a namespace that is restricted and opted in to nothing', () => {
    const [namespace] = readManifest('demo/zombies/namespace.yaml');
    expect(namespace?.metadata).toEqual({
      name: 'gravekeeper-zombies',
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    });
  });
});

describeWith([privateProc, program('busybox', 'busybox-static')], 'in a PID namespace of its own', () => {
  let pid1: ChildProcess | null = null;
  afterEach(() => {
    pid1?.kill('SIGKILL');
    pid1 = null;
  });

  /** Starts busybox as PID 1 of a namespace; returns its PID out here, and what ends all `cat <&3` in it. */
  async function start(argv: readonly string[]) {
    const flags = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const unshare = spawn('unshare', [...flags, 'busybox', ...argv], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
    pid1 = unshare;
    const pid = await eventually(() => childrenOf(unshare.pid)[0] ?? null, 'PID 1 of the namespace');
    return { pid, endChildren: () => unshare.stdio[3]?.destroy() };
  }

  const proc = openProcRoot('/proc');

  function childrenOf(parent: number | undefined): number[] {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && proc.stat(pid)?.ppid === parent);
  }

  function zombiesOf(parent: number): number {
    return childrenOf(parent).filter((pid) => proc.stat(pid)?.state === 'Z').length;
  }

  it.each([
    ['orphans-10', 10],
    ['orphans-100', 100],
    ['unreaped-10', 10],
    ['unreaped-100', 100],
  ])('%s has %i zombies, and no other process but PID 1', async (name, count) => {
    const { command, args } = podNamed(name);
    // On a node they live for 20 s, so that PID 1 has become a sleep before the first one ends; here that is awaited.
    const argv = [...command, ...args].map((word) => word.replaceAll('sleep 20', 'cat <&3'));
    const { pid, endChildren } = await start(argv);
    await eventually(() => proc.commandLine(pid)?.includes('86400') ?? null, 'the sleep of PID 1');
    expect(zombiesOf(pid)).toBe(0);
    endChildren();
    await eventually(() => zombiesOf(pid) === count, `${count} zombies`);
    expect(childrenOf(pid)).toHaveLength(count);
  });

  it('the probe of growing leaves one orphan at each run', async () => {
    const { command, livenessProbe } = podNamed('growing');
    const { pid } = await start(command);
    const probe = livenessProbe?.exec.command ?? [];
    for (const expected of [1, 2, 3]) {
      const run = spawn('nsenter', [
        '--target',
        `${pid}`,
        '--user',
        '--preserve-credentials',
        '--pid',
        '--mount',
        'busybox',
        ...probe,
      ]);
      const [status] = await once(run, 'exit');
      expect(status).toBe(0);
      await eventually(() => zombiesOf(pid) === expected, `${expected} zombies`);
    }
  });
});
