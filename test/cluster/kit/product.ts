import { join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { annotationKeys } from '../../../src/policy/keys.ts';
import type { ClusterReport } from '../../../src/scanner/cluster.ts';
import type { ScanReport } from '../../../src/scanner/report.ts';
import type { Outcome } from '../run.ts';
import { ask, list } from './api.ts';
import { runAsync } from './kubectl.ts';

const scannerNamespace = 'gravekeeper-scanner';
const main = join(import.meta.dirname, '../../../src/main.js');

/** Runs a command of the project, with KUBECONFIG, however it ends. */
export function tryGravekeeper(...words: readonly string[]): Promise<Outcome> {
  return runAsync([process.execPath, main, ...words]);
}

/** Runs a command of the project, with KUBECONFIG. */
export async function gravekeeper(...words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tryGravekeeper(...words);
  if (status !== 0) throw new Error(`gravekeeper ${words.join(' ')}: exit ${status}: ${stderr}`);
  return stdout;
}

/** What the scanners of all nodes say, as `scan --cluster` puts it together. */
export async function scanCluster(): Promise<ClusterReport> {
  return JSON.parse(await gravekeeper('scan', '--cluster', '-o', 'json'));
}

/** What the scanner of a pod's node says, node by node the whole report. */
export async function scanOf(pod: V1Pod): Promise<ScanReport> {
  const scanners = await list<V1Pod>('Pod', scannerNamespace, 'app.kubernetes.io/component=scanner');
  const scanner = scanners.find(({ spec }) => spec?.nodeName === pod.spec?.nodeName)?.metadata?.name;
  if (scanner === undefined) throw new Error(`no scanner on ${pod.spec?.nodeName}`);
  const path = `/api/v1/namespaces/${scannerNamespace}/pods/${scanner}:9090/proxy/scan`;
  const { status, body } = await ask<ScanReport>('GET', path);
  if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** What a pod says that was done to it; null where it says nothing. */
export function statusOf(pod: V1Pod): { readonly remedy: string; readonly reason: string } | null {
  const text = pod.metadata?.annotations?.[annotationKeys.status];
  return text === undefined ? null : JSON.parse(text);
}
