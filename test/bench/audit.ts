/**
 * The audit of 10,000 pods in YAML files against parsing the same YAML and nothing else, file by file in turns, so that
 * both meet the same machine. Then its peak memory: as many pods in few and in many files, ten times as many pods, and
 * these with a heap that leaves no room for garbage. The last line is JSON: the ratios.
 *
 * BENCH_PODS sets another number of pods.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { AuditContext } from '../../src/audit/judged.ts';
import { readSource } from '../../src/audit/read-source.ts';
import { Audit } from '../../src/audit/run.ts';
import { findSources } from '../../src/audit/sources.ts';
import { defaultConfig } from '../../src/config/config.ts';
import { namespacesAmong } from '../../src/manifest/namespaces.ts';
import { auditedPod } from './audited-pod.ts';

const [, , mode, ...folders] = process.argv;
if (mode === '--memory') await auditFolder(folders[0] ?? '');
else await main();

async function main(): Promise<void> {
  const pods = Number(process.env.BENCH_PODS ?? 10_000);
  const root = mkdtempSync(join(tmpdir(), 'gravekeeper-bench-'));
  try {
    const files = writePods(join(root, 'speed'), pods, Math.ceil(pods / 100));
    const { parsing, auditing } = inTurns(files);
    const speed = parsing / auditing;
    log(`${pods} pods in ${files.length} files: parsing ${seconds(parsing)}, audit ${seconds(auditing)}`);
    const memory = [
      memoryOf(join(root, 'few'), pods / 10, 100),
      memoryOf(join(root, 'some'), pods / 10, 10),
      memoryOf(join(root, 'each'), pods / 10, 1),
      memoryOf(join(root, 'many'), pods, 10),
      memoryOf(join(root, 'many'), pods, 10, ['--max-old-space-size=40']),
    ];
    for (const { pods: count, files: many, flags, peakMiB, heapMiB } of memory) {
      const how = [`${count} pods in ${many} files`, ...flags].join(', ');
      log(`${how}: peak ${peakMiB} MiB, on the heap at the end ${heapMiB} MiB`);
    }
    log(JSON.stringify({ bench: 'audit', pods, speedAgainstParsing: rounded(speed), memory }));
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Parses each file, then audits it, and adds up what each takes, in milliseconds. */
function inTurns(files: readonly string[]): { readonly parsing: number; readonly auditing: number } {
  const audit = new Audit({ context: contextOf(new Map()) });
  let parsing = 0;
  let auditing = 0;
  const parse = (text: string) => {
    const start = performance.now();
    for (const document of parseAllDocuments(text)) document.toJS();
    parsing += performance.now() - start;
  };
  const run = (text: string, file: string) => {
    const start = performance.now();
    namespacesAmong(text);
    for (const entry of readSource(text, file)) audit.add(entry);
    auditing += performance.now() - start;
  };
  for (const [index, file] of files.entries()) {
    const text = readFileSync(file, 'utf8');
    if (index % 2 === 0) {
      parse(text);
      run(text, file);
    } else {
      run(text, file);
      parse(text);
    }
    // The first files warm both up.
    if (index === 1) {
      parsing = 0;
      auditing = 0;
    }
  }
  const start = performance.now();
  audit.report();
  return { parsing, auditing: auditing + performance.now() - start };
}

/** The memory of a process that audits so many pods: at its peak, and on the heap at the end, in MiB. */
interface Memory {
  readonly pods: number;
  readonly files: number;
  readonly flags: readonly string[];
  readonly peakMiB: number;
  readonly heapMiB: number;
}

/** @param flags Of Node, besides the image's. */
function memoryOf(folder: string, pods: number, podsPerFile: number, flags: readonly string[] = []): Memory {
  const files = writePods(folder, pods, podsPerFile).length;
  const ofNode = ['--max-semi-space-size=8', '--expose-gc', ...flags];
  const args = [...ofNode, import.meta.filename, '--memory', folder];
  const { peakMiB, heapMiB } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  return { pods, files, flags, peakMiB, heapMiB };
}

async function auditFolder(folder: string): Promise<void> {
  const { sources } = findSources([folder]);
  const audit = new Audit({ context: contextOf(new Map()) });
  for (const source of sources) {
    const read = await source.read();
    if ('text' in read) for (const entry of readSource(read.text, source.name)) audit.add(entry);
  }
  const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  globalThis.gc?.();
  const heapMiB = rounded(process.memoryUsage().heapUsed / 1024 / 1024);
  // The report is looked at last, so that it still stands when the heap is measured.
  audit.report();
  log(JSON.stringify({ peakMiB, heapMiB }));
}

function contextOf(labels: ReadonlyMap<string, ReadonlyMap<string, string>>): AuditContext {
  return {
    config: defaultConfig,
    labelsOf: (name) => labels.get(name) ?? null,
    assumed: new Map([['gravekeeper.dev/inject', 'auto']]),
    defaultNamespace: 'default',
    podsRun: false,
  };
}

function writePods(folder: string, pods: number, podsPerFile: number): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const files: string[] = [];
  for (let first = 0; first < pods; first += podsPerFile) {
    const file = join(folder, `${String(first).padStart(6, '0')}.yaml`);
    const count = Math.min(podsPerFile, pods - first);
    const documents = Array.from({ length: count }, (_, index) => stringify(auditedPod(first + index)));
    writeFileSync(file, documents.join('---\n'));
    files.push(file);
  }
  return files;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function log(line: string): void {
  process.stdout.write(`${line}\n`);
}
