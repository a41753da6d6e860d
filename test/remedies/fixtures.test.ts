import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import fjp, { type Operation } from 'fast-json-patch';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { type Answers, judge, questions, type Verdict } from '../../src/judge.ts';
import { isJsonObject, type JsonObject } from '../../src/pod/json.ts';
import { podOf } from '../../src/pod/templates.ts';
import { type Policy, policyOf } from '../../src/policy/policy.ts';
import { reasonCodes } from '../../src/reasons.ts';
import type { ImageAnswer } from '../../src/remedies/image-answer.ts';
import { ruleIds } from '../../src/rules/index.ts';

/** A fixture is a Namespace, perhaps a Configuration and Images, and a pod or workload; see test/remedies/README.md. */
interface Fixture {
  readonly namespace: JsonObject;
  readonly config: Config;
  /** What a registry would answer, by reference. */
  readonly images: Readonly<Record<string, ImageAnswer>>;
  readonly workload: JsonObject;
}

const root = import.meta.dirname;
const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const fixtures = folders.flatMap((folder) =>
  readdirSync(join(root, folder.name))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => join(folder.name, file)),
);

function readFixture(file: string): Fixture {
  const documents = parseAllDocuments(readFileSync(join(root, file), 'utf8')).map((document): unknown =>
    document.toJS(),
  );
  const ofKind = (kind: string) =>
    documents.find((document): document is JsonObject => isJsonObject(document) && document.kind === kind);
  const outcome = parseConfig(JSON.stringify(ofKind('Configuration') ?? {}), { ruleIds });
  if ('problems' in outcome) throw new Error(`${file}: ${JSON.stringify(outcome.problems)}`);
  const workload = documents.at(-1);
  if (!isJsonObject(workload)) throw new Error(`${file}: the last document is no object`);
  return {
    namespace: ofKind('Namespace') ?? {},
    config: outcome.config,
    images: (ofKind('Images')?.images ?? {}) as Fixture['images'],
    workload,
  };
}

function labelsOf(object: JsonObject): Map<string, string> {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  return new Map(Object.entries((metadata.labels ?? {}) as Record<string, string>));
}

function nameOf(object: JsonObject): string {
  return String(isJsonObject(object.metadata) ? object.metadata.name : '');
}

function verdictOn(workload: JsonObject, fixture: Fixture): { policy: Policy; verdict: Verdict } {
  const pod = podOf(workload, { trustMirrorAnnotation: true });
  if (!pod) throw new Error('no pod');
  const policy = policyOf(pod, {
    namespace: nameOf(fixture.namespace),
    namespaceLabels: labelsOf(fixture.namespace),
    config: fixture.config,
  });
  const answers: Answers = new Map(
    questions(pod, policy).flatMap(({ container, image }) => {
      const answer = fixture.images[image];
      return answer ? [[container, answer] as const] : [];
    }),
  );
  return { policy, verdict: judge(pod, policy, answers) };
}

function expectedFile(file: string): string {
  return join(root, file.replace(/\.yaml$/, '.expected.json'));
}

describe.each(fixtures)('%s', (file) => {
  const fixture = readFixture(file);
  const { policy, verdict } = verdictOn(fixture.workload, fixture);
  const { strategy, ...remedy } = verdict.remedy;
  const actual = {
    policy: { strategy, probes: policy.probes, dryRun: policy.dryRun },
    remedy: { ...remedy, notes: [...policy.notes, ...remedy.notes] },
    patch: verdict.patch,
  };

  it('comes out as expected', () => {
    if (process.env.UPDATE_FIXTURES)
      writeFileSync(expectedFile(file), `${JSON.stringify(actual, null, 2)}\n`);
    expect(actual).toEqual(JSON.parse(readFileSync(expectedFile(file), 'utf8')));
  });

  it('shows the reason of its folder', () => {
    const reason = dirname(file);
    const shown = [
      verdict.remedy.reason,
      ...verdict.remedy.containers.map((container) => container.reason),
      ...actual.remedy.notes.map((note) => note.reason),
      ...(policy.dryRun ? ['dry-run'] : []),
    ];
    expect(shown).toContain(reason);
  });

  it('has nothing to add in a second round', () => {
    const again = structuredClone(fixture.workload);
    fjp.applyPatch(again, structuredClone(verdict.patch) as Operation[], true);
    expect(verdictOn(again, fixture).verdict.patch).toEqual([]);
  });
});

describe('the folder of fixtures', () => {
  it('has a folder for every reason and no other', () => {
    expect(folders.map(({ name }) => name).sort()).toEqual([...reasonCodes].sort());
  });

  it.each(folders.map(({ name }) => name))('%s holds pairs of files only', (folder) => {
    const files = readdirSync(join(root, folder));
    const names = new Set(files.map((file) => basename(file).replace(/(\.expected\.json|\.yaml)$/, '')));
    expect(names.size).toBeGreaterThan(0);
    for (const name of names) {
      for (const ending of ['.yaml', '.expected.json']) {
        expect(existsSync(join(root, folder, name + ending)), `${folder}/${name}${ending}`).toBe(true);
      }
    }
    expect(files).toHaveLength(names.size * 2);
  });
});
