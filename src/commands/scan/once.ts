import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '../../kube/api-server.ts';
import { listNodePods } from '../../kube/node-pods.ts';
import { openApiServer } from '../../kube/open-api-server.ts';
import { scanJson } from '../../scanner/formats/json.ts';
import { npdResult } from '../../scanner/formats/npd.ts';
import { scanTable } from '../../scanner/formats/table.ts';
import { secondLookMs } from '../../scanner/loop.ts';
import { directoryOf, type PodDirectory, podFacts } from '../../scanner/pod-facts.ts';
import type { ScanReport } from '../../scanner/report.ts';
import { createScanner } from '../../scanner/scanner.ts';
import { terminalOf } from '../../terminal.ts';
import type { ScanOptions } from '../scan.ts';
import { complain } from './complain.ts';
import { openNode } from './node.ts';

/** Names are worth waiting for, but not for ever. */
const namesTimeoutMs = 10_000;

/**
 * Looks twice, and prints what was there both times.
 *
 * @throws {InputError} if there is no proc root; with the format npd that is a result, too.
 */
export async function scanOnce(options: ScanOptions): Promise<void> {
  if (options.output === 'npd') return printNpd(options);
  const report = await lookTwice(options);
  process.stdout.write(
    options.output === 'json' ? scanJson(report) : scanTable(report, terminalOf(process.stdout)),
  );
}

async function printNpd(options: ScanOptions): Promise<void> {
  const look = await lookTwice(options).catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  );
  const { status, message } = npdResult(look, options);
  process.stdout.write(`${message}\n`);
  process.exitCode = status;
}

async function lookTwice(options: ScanOptions): Promise<ScanReport> {
  const { proc, limits, node } = openNode(options);
  const scanner = createScanner({ proc, limits, node });
  scanner.look(directoryOf([]));
  // The names are asked for while time passes anyway.
  const [pods] = await Promise.all([podsOf(node, options.kubeconfig), delay(secondLookMs)]);
  return scanner.look(pods);
}

/** The pods of the node; none where there is no cluster, or where it does not answer. */
async function podsOf(node: string, kubeconfig: string | undefined): Promise<PodDirectory> {
  try {
    const api = await openApiServer(kubeconfig);
    if (api === null) return directoryOf([]);
    const { pods } = await listNodePods(api, node, podFacts, AbortSignal.timeout(namesTimeoutMs));
    return directoryOf(pods);
  } catch (error) {
    complain(`the names of pods are not known: ${describeError(error)}`);
    return directoryOf([]);
  }
}
