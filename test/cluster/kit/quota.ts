import { create, type KubeObject } from './api.ts';

/** Gives a namespace a quota that counts every request and limit, and limits that every container gets. */
export async function limitResources(namespace: string): Promise<void> {
  const metadata = { namespace, name: 'limits' };
  const hard = {
    'requests.cpu': '2',
    'requests.memory': '2Gi',
    'limits.cpu': '4',
    'limits.memory': '4Gi',
    pods: '20',
  };
  const container = {
    type: 'Container',
    default: { cpu: '500m', memory: '256Mi' },
    defaultRequest: { cpu: '100m', memory: '64Mi' },
    min: { cpu: '10m', memory: '8Mi' },
    max: { cpu: '2', memory: '1Gi' },
  };
  const limits = [container, { type: 'Pod', max: { cpu: '3', memory: '2Gi' } }];
  await create({ apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } } as KubeObject);
  await create({ apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits } } as KubeObject);
}
