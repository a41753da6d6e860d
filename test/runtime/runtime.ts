// npm run test:runtime — lets the scanner look at pods of a real containerd, made as the kubelet makes them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { nameOf, ownerOf } from './api-server.ts';
import { type Case, cases, limitedPod, limitedZombies } from './cases.ts';
import type { Parts } from './containerd.ts';
import { buildCri } from './cri.ts';
import type { ExpectedGroup } from './expected.ts';
import { makeImages } from './images.ts';
import { obstacle, staticTini } from './obstacles.ts';
import { namespace, type Pod } from './pods.ts';
import { run } from './run.ts';
import { hasLimits, type Stage, setStage, type Way, ways } from './stage.ts';
import { sweepStale, sweptFolder } from './sweep.ts';
import { check, tellTallyAtExit } from './tally.ts';
import { type View, views, whyNot } from './views.ts';

/** What automake's test harness takes for "could not run". */
const cannotRun = 77;
const minute = 60_000;

const missing = obstacle();
if (missing !== null) {
  process.stderr.write(`test:runtime CANNOT RUN, nothing was tested: ${missing}\n`);
  process.exit(cannotRun);
}
for (const part of ['containerd', 'runc']) {
  process.stdout.write(`${run(part, ['--version']).toString().split('\n')[0]}\n`);
}
sweepStale();
tellTallyAtExit();

let parts: Parts;
before(
  () => {
    const folder = sweptFolder();
    const client = join(folder, 'cri');
    buildCri(client);
    parts = { client, images: makeImages(folder, staticTini) };
  },
  { timeout: 5 * minute },
);

for (const view of views) {
  describe(view.name, () => {
    const reason = whyNot(view);
    let stage: Stage;
    before(
      async () => {
        if (reason === null) stage = await setStage(view, parts, cases);
      },
      { timeout: 2 * minute },
    );
    after(() => stage?.end());
    for (const way of ways) {
      describe(way, () => {
        for (const one of cases) {
          check(one.name, () => compareGroups(stage, view, way, one), reason);
        }
        check('what was found adds up, and nothing was hidden', () => compareTotals(stage, way), reason);
        check('the scanner has no capability and is not root', () => comparePrivileges(stage, way), reason);
        if (hasLimits(view)) {
          check('the limits of a pod and its memory', () => compareLimits(stage, way), reason);
        }
        check('the limits of the node', () => compareNodeLimits(stage, way), reason);
        if (way === 'with names') {
          for (const one of cases.filter(({ injected }) => injected)) {
            check(`remedy: ${one.name}`, () => compareRemedy(stage, one), reason);
          }
        }
      });
    }
  });
}

/** A group in the form in which expectation and report are compared. */
interface Comparable extends Omit<ExpectedGroup, 'podKnown'> {
  readonly containerId: string | null;
  readonly podUid: string | null;
  readonly pod: string | null;
  readonly namespace: string | null;
  readonly owner: string | null;
}

function compareGroups(stage: Stage, view: View, way: Way, one: Case): void {
  const pod = stage.podOf(one);
  const actual = groupsOfPod(stage, way, pod);
  const expected = one.expected(view).map((group) => expectedIn(stage, way, pod, group));
  assert.deepEqual(actual, expected);
}

function groupsOfPod(stage: Stage, way: Way, pod: Pod): Comparable[] {
  const pids = stage.pidsOf(pod);
  const uids = [pod.uid, stage.apiUid(pod)];
  return stage
    .report(way)
    .groups.filter(({ podUid, parent }) => uids.includes(podUid ?? '') || pids.has(parent?.pid ?? 0))
    .sort((a, b) => b.count - a.count)
    .map(
      ({ count, kind, certain, fixableBy, container, containerId, podUid, parent, evidence, ...names }) => ({
        ...{ count, kind, certain, fixableBy, container, containerId, podUid, evidence },
        parent: { comm: parent?.comm ?? '', isPid1: parent?.isPid1 === true },
        ...{ pod: names.pod, namespace: names.namespace, owner: names.owner },
      }),
    );
}

function expectedIn(stage: Stage, way: Way, pod: Pod, { podKnown, ...group }: ExpectedGroup): Comparable {
  const named = way === 'with names' && podKnown;
  const id = pod.containers.find(({ name }) => name === group.container)?.id ?? null;
  return {
    ...group,
    container: named ? group.container : null,
    containerId: id,
    podUid: podKnown ? (named ? stage.apiUid(pod) : pod.uid) : null,
    pod: named ? nameOf(pod) : null,
    namespace: named ? namespace : null,
    owner: named ? ownerOf(pod) : null,
  };
}

function compareTotals(stage: Stage, way: Way): void {
  const { zombies, groups, pids, notes } = stage.report(way);
  assert.equal(
    groups.reduce((sum, { count }) => sum + count, 0),
    zombies,
  );
  assert.equal(pids.unreadable, 0, notes.join('\n'));
}

async function comparePrivileges(stage: Stage, way: Way): Promise<void> {
  const status = await stage.runner(way)(['/usr/bin/cat', '/proc/self/status']);
  assert.match(status, /^Uid:\s+65532\s+65532\s+65532\s+65532$/m);
  assert.match(status, /^CapEff:\s+0+$/m);
  assert.match(status, /^CapBnd:\s+0+$/m);
}

function compareLimits(stage: Stage, way: Way): void {
  const pod = stage.limited();
  const limits = stage.report(way).limits.filter(({ podUid }) => podUid === pod.uid);
  const ofPod = limits.find(({ scope }) => scope === 'pod');
  // pause and the app besides
  assert.deepEqual([ofPod?.used, ofPod?.limit], [limitedZombies + 2, limitedPod.pidsMax]);
  const ofMemory = limits.find(({ scope }) => scope === 'memory');
  assert.equal(ofMemory?.containerId, pod.containers[0]?.id);
  // A zombie takes two or three pages of 4 KiB.
  const most = (limitedPod.containers[0]?.memoryBytes ?? 0) / 4096;
  assert.ok(ofMemory && ofMemory.limit > 1000 && ofMemory.limit < most, JSON.stringify(ofMemory));
}

function compareNodeLimits(stage: Stage, way: Way): void {
  const { limits, pids, zombies } = stage.report(way);
  const limitOf = (scope: string) => limits.find((limit) => limit.scope === scope)?.limit ?? null;
  const setting = (name: string) => Number(readFileSync(`/proc/sys/kernel/${name}`, 'utf8'));
  assert.equal(limitOf('threads-max'), setting('threads-max'));
  // A PID namespace has a pid_max of its own: a pod cannot tell that of the node.
  assert.equal(limitOf('pid_max'), way === 'in a pod' ? null : setting('pid_max'));
  assert.ok((pids.used ?? 0) > zombies, `${pids.used} processes, of which ${zombies} are zombies`);
}

function compareRemedy(stage: Stage, one: Case): void {
  const pod = stage.podOf(one);
  const check = stage.report('with names').remedies.find(({ podUid }) => podUid === pod.uid);
  assert.deepEqual(
    check && { remedy: check.remedy, works: check.works, pod: check.pod },
    { ...one.injected, pod: pod.spec.name },
    check?.message,
  );
}
