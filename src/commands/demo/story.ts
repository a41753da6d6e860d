import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { stringify } from 'yaml';
import type { Unavailable } from '../../emulate/unavailable.ts';
import { InputError } from '../../input-error.ts';
import { readDocuments } from '../../manifest/read.ts';
import { writtenYaml } from '../../manifest/written-yaml.ts';
import { isJsonObject, type JsonObject, objectAt } from '../../pod/json.ts';
import { podOf } from '../../pod/templates.ts';
import { leakForecast } from '../../rules/leak-forecast.ts';
import { makeCertificates } from '../certs.ts';
import { startWebhook } from '../webhook.ts';
import { decideOn, type Workload, type WorkloadDecision } from './decisions.ts';
import { type Experiment, runExperiment } from './experiment.ts';
import { connect } from './review.ts';

/** What the demo found out; the text and the JSON are made of the same facts. */
export interface Story {
  readonly schemaVersion: 1;
  readonly webhook: { readonly url: string; readonly reviews: number };
  readonly decisions: readonly Omit<WorkloadDecision, 'before' | 'after'>[];
  /** One whole change, as a unified diff of the pod's YAML. */
  readonly change: { readonly workload: string; readonly inject: string; readonly diff: string };
  /** What one zombie in each run of a probe comes to. */
  readonly leak: {
    readonly periodSeconds: number;
    readonly zombiesPerRun: number;
    readonly perHour: number;
    readonly perDay: number;
    readonly exhaustion: readonly { readonly limit: number; readonly of: string; readonly seconds: number }[];
  };
  readonly experiment: Experiment | Unavailable;
}

const namespaces = [
  { name: 'demo-auto', inject: 'auto' },
  { name: 'demo-share-pid', inject: 'share-pid' },
] as const;

/** The change that is shown as a whole. */
const shownChange = { workload: 'python-grandchild', inject: 'auto' };

/** Limits that people meet: https://kubernetes.io/docs/concepts/policy/pid-limiting/ and OpenShift's podPidsLimit. */
const pidLimits = [
  { limit: 4_096, of: 'podPidsLimit of OpenShift' },
  { limit: 32_768, of: 'pid_max of a small node' },
];

/**
 * Runs the demo: the real webhook on a free port of this machine, real AdmissionReviews over HTTPS for the
 * workloads of manifests/demo, and real zombies.
 *
 * @throws {InputError} where the demo's manifests are not to be found or not readable.
 */
export async function tellStory(): Promise<Story> {
  const workloads = await readWorkloads(await findManifests());
  const folder = await mkdtemp(join(tmpdir(), 'gravekeeper-demo-'));
  try {
    const { url, decisions } = await askWebhook(folder, workloads);
    const shown = decisions.find(
      ({ workload, inject }) => workload === shownChange.workload && inject === shownChange.inject,
    );
    return {
      schemaVersion: 1,
      webhook: { url, reviews: decisions.length * 2 },
      decisions: decisions.map(({ before: _before, after: _after, ...decision }) => decision),
      change: { ...shownChange, diff: shown ? diffOf(shown) : '' },
      leak: leakOf({ periodSeconds: 10, zombiesPerRun: 1 }),
      experiment: await runExperiment(),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function askWebhook(
  folder: string,
  workloads: readonly Workload[],
): Promise<{ url: string; decisions: readonly WorkloadDecision[] }> {
  const { ca, cert, key } = await makeCertificates();
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const namespaceList = namespaces.map(({ name, inject }) =>
    stringify({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'gravekeeper.dev/inject': inject } },
    }),
  );
  const webhook = await startWebhook({
    host: '127.0.0.1',
    port: 0,
    metricsPort: 0,
    cert: await file('tls.crt', cert),
    key: await file('tls.key', key),
    namespaces: await file('namespaces.yaml', namespaceList.join('---\n')),
    logLevel: 'silent',
    shutdownDelaySeconds: 0,
  });
  const client = connect(webhook.port, ca);
  try {
    const decisions: WorkloadDecision[] = [];
    for (const namespace of namespaces) {
      for (const workload of workloads) decisions.push(await decideOn(client, workload, namespace));
    }
    return { url: `https://127.0.0.1:${webhook.port}`, decisions };
  } finally {
    client.close();
    await webhook.close();
  }
}

/** The folder of the demo's manifests: above this file in a checkout, beside the bundle in the image. */
async function findManifests(): Promise<string> {
  for (const above of ['../../..', '..', '.']) {
    const folder = join(import.meta.dirname, above, 'manifests', 'demo');
    const files = await readdir(folder).catch(() => []);
    if (files.length > 0) return folder;
  }
  throw new InputError(
    `the folder manifests/demo is nowhere above ${import.meta.dirname}; run the demo from a whole checkout`,
  );
}

async function readWorkloads(folder: string): Promise<readonly Workload[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort();
  const workloads: Workload[] = [];
  for (const file of files) {
    const { documents, problems } = readDocuments(await readFile(join(folder, file), 'utf8'), file);
    if (problems[0]) throw new InputError(`${file}:${problems[0].line}: ${problems[0].message}`);
    for (const { value } of documents) {
      if (isWorkload(value))
        workloads.push({ title: basename(file, '.yaml'), kind: String(value.kind), object: value });
    }
  }
  return workloads;
}

function isWorkload(value: unknown): value is JsonObject {
  return isJsonObject(value) && podOf(value) !== null;
}

/** The change in YAML: what people read, though the webhook sends a JSON Patch. */
function diffOf({ before, after }: WorkloadDecision): string {
  const yaml = (object: JsonObject) => writtenYaml(withoutOwner(object));
  return createTwoFilesPatch('as applied', 'as admitted', yaml(before), yaml(after), '', '', { context: 1 });
}

/** The owner's random UID would be noise. */
function withoutOwner(object: JsonObject): JsonObject {
  const metadata = objectAt(object, 'metadata');
  const { ownerReferences: _owner, ...rest } = metadata;
  return { ...object, metadata: rest };
}

function leakOf(probe: { periodSeconds: number; zombiesPerRun: number }): Story['leak'] {
  const { perHour, perDay, secondsUntil } = leakForecast(probe);
  return {
    ...probe,
    perHour,
    perDay,
    exhaustion: pidLimits.map(({ limit, of }) => ({ limit, of, seconds: secondsUntil(limit) })),
  };
}
