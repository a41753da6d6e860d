import type { Controller, Pod } from './pod.ts';

/** An owner as an ownerReference names it. */
export interface NamedOwner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** Labels of a ReplicaSet's pods that end its name, and the controller that made it so. */
const hashLabels = {
  'pod-template-hash': { apiVersion: 'apps/v1', kind: 'Deployment' },
  'rollouts-pod-template-hash': { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' },
} as const;

/**
 * CronJobs name a Job after the minute it was due (`getJobName` in Kubernetes' cronjob controller): eight digits until
 * the year 2160. Kubernetes has had them since 2016; smaller numbers, `20261120` say, are dates in a name.
 */
const jobOfCronJob = /^(.+)-(\d{8})$/;
const firstCronJobMinute = Date.UTC(2016) / 60_000;

/**
 * The owner of a controller, as far as names tell: the Deployment of a ReplicaSet, the CronJob of a Job.
 *
 * @param controller The controller of a pod.
 * @param labels The labels of that pod.
 * @returns Null where names tell of none.
 */
export function ownerAbove(
  { group, kind, name }: Controller,
  labels: ReadonlyMap<string, unknown>,
): NamedOwner | null {
  if (group === 'apps' && kind === 'ReplicaSet') {
    for (const [label, above] of Object.entries(hashLabels)) {
      const suffix = `-${labels.get(label) ?? ''}`;
      if (suffix !== '-' && name.endsWith(suffix) && name !== suffix)
        return { ...above, name: name.slice(0, -suffix.length) };
    }
  }
  if (group === 'batch' && kind === 'Job') {
    const [, cronJob, minute] = jobOfCronJob.exec(name) ?? [];
    if (cronJob !== undefined && Number(minute) >= firstCronJobMinute)
      return { apiVersion: 'batch/v1', kind: 'CronJob', name: cronJob };
  }
  return null;
}

/**
 * Who is responsible for a pod, as far as names tell: the Deployment of its ReplicaSet, the CronJob of its Job, else its
 * controller.
 *
 * @param pod The pod.
 * @param name The pod's own name.
 * @returns Kind and name, `Deployment/shop`; of a bare pod, `Pod/NAME`.
 */
export function ownerOf({ controller, labels }: Pod, name: string): string {
  const owner = controller && (ownerAbove(controller, labels) ?? controller);
  return owner === null ? `Pod/${name}` : `${owner.kind}/${owner.name}`;
}
