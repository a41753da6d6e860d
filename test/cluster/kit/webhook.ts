import type { V1ConfigMap, V1Pod } from '@kubernetes/client-node';
import { eventually } from '../wait.ts';
import { ask, get, list, patch } from './api.ts';

export const ownNamespace = 'gravekeeper';
const configMap = 'gravekeeper-config';

/** The pods of the webhook that are not about to end. */
export async function webhookPods(): Promise<readonly V1Pod[]> {
  const pods = await list<V1Pod>('Pod', ownNamespace, 'app.kubernetes.io/component=webhook');
  return pods.filter(({ metadata }) => !metadata?.deletionTimestamp);
}

/** The sum of a metric's series that have these labels, of one replica of the webhook. */
export async function webhookMetric(
  pod: string,
  metric: string,
  labels: Readonly<Record<string, string>> = {},
) {
  const path = `/api/v1/namespaces/${ownNamespace}/pods/${pod}:9090/proxy/metrics`;
  const { status, body } = await ask<string>('GET', path);
  if (status !== 200) throw new Error(`${path}: ${status}`);
  return sumOf(body, metric, labels);
}

/** The sum of a metric's series that have these labels, of the API server. */
export async function apiServerMetric(metric: string, labels: Readonly<Record<string, string>> = {}) {
  const { body } = await ask<string>('GET', '/metrics');
  return sumOf(body, metric, labels);
}

/** How often the API server could not evaluate a match condition; it then goes on without the webhook. */
export const matchConditionErrors = () =>
  apiServerMetric('apiserver_admission_match_condition_evaluation_errors_total');

/** Adds up the series of a metric that have these labels; 0 where there are none. */
function sumOf(text: string, metric: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

const reloads = (pod: V1Pod) =>
  webhookMetric(pod.metadata?.name ?? '', 'gravekeeper_configuration_reloads_total', { result: 'success' });

/**
 * Runs something while the webhook has another configuration, and puts the former one back.
 *
 * @param text The configuration file.
 */
export async function withConfiguration<T>(text: string, body: () => Promise<T>): Promise<T> {
  const before = await get<V1ConfigMap>('ConfigMap', configMap, ownNamespace);
  await setConfiguration(text);
  try {
    return await body();
  } finally {
    await setConfiguration(before.data?.['config.yaml'] ?? '');
  }
}

/** Resolves when every replica has taken the file over. */
async function setConfiguration(text: string): Promise<void> {
  const pods = await webhookPods();
  const before = await Promise.all(pods.map(reloads));
  await patch('ConfigMap', configMap, ownNamespace, { data: { 'config.yaml': text } });
  await Promise.all(
    pods.map((pod, index) =>
      eventually(`${pod.metadata?.name} to take the configuration over`, async () => {
        await nudge(pod);
        return (await reloads(pod)) > (before[index] ?? 0);
      }),
    ),
  );
}

/** A kubelet brings a changed ConfigMap or Secret into a pod when it next looks at it; that can take a minute. */
export async function nudge({ metadata }: V1Pod): Promise<void> {
  const annotations = { 'test/nudge': String(Date.now()) };
  await patch('Pod', metadata?.name ?? '', ownNamespace, { metadata: { annotations } });
}
