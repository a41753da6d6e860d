import { InputError } from '../../input-error.ts';
import { describeError } from '../../kube/api-server.ts';
import { openApiServer } from '../../kube/open-api-server.ts';
import { gatherScans } from '../../kube/scanner-pods.ts';
import { mergeNodes } from '../../scanner/cluster.ts';
import { clusterTable } from '../../scanner/formats/cluster-table.ts';
import { scanJson } from '../../scanner/formats/json.ts';
import { terminalOf } from '../../terminal.ts';
import type { ScanOptions } from '../scan.ts';

/**
 * Asks the scanners of all nodes, and prints what they say together.
 *
 * @throws {InputError} if there is no cluster, or it does not list its nodes.
 */
export async function scanCluster(options: ScanOptions): Promise<void> {
  if (options.output === 'npd')
    throw new InputError('-o npd is about one node: use table or json with --cluster');
  const answers = await gather(options);
  const report = mergeNodes(answers, Date.now());
  process.stdout.write(
    options.output === 'json' ? scanJson(report) : clusterTable(report, terminalOf(process.stdout)),
  );
}

async function gather({ kubeconfig, scannerNamespace }: ScanOptions): ReturnType<typeof gatherScans> {
  const api = await openApiServer(kubeconfig);
  if (api === null) {
    throw new InputError('there is no cluster to ask: name its kubeconfig with --kubeconfig or KUBECONFIG');
  }
  try {
    return await gatherScans(api, { namespace: scannerNamespace, ...progressOn(process.stderr) });
  } catch (error) {
    throw new InputError(`the nodes and their scanners cannot be listed: ${describeError(error)}`);
  }
}

/** A line that counts nodes, where a person looks on. */
function progressOn(stream: NodeJS.WriteStream): { onProgress?: (done: number, total: number) => void } {
  if (!stream.isTTY) return {};
  return {
    onProgress: (done, total) =>
      stream.write(done < total ? `\rasked ${done} of ${total} nodes` : '\r\u001b[K'),
  };
}
