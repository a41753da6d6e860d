import type { Pod } from './pod.ts';

/** Labels of a ReplicaSet's pods that end its name, and the kind of the controller that made it so. */
const hashLabels = { 'pod-template-hash': 'Deployment', 'rollouts-pod-template-hash': 'Rollout' } as const;

/**
 * CronJobs name a Job after the minute it was due (`getJobName` in Kubernetes' cronjob controller): eight digits until
 * the year 2160. Kubernetes has had them since 2016; smaller numbers, `20261120` say, are dates in a name.
 */
const jobOfCronJob = /^(.+)-(\d{8})$/;
const firstCronJobMinute = Date.UTC(2016) / 60_000;

/**
 * Who is responsible for a pod, as far as names tell: the Deployment of its ReplicaSet, the CronJob of its Job, else its
 * controller.
 *
 * @param pod The pod.
 * @param name The pod's own name.
 * @returns Kind and name, `Deployment/shop`; of a bare pod, `Pod/NAME`.
 */
export function ownerOf(pod: Pod, name: string): string {
  const { controller } = pod;
  if (controller === null) return `Pod/${name}`;
  if (controller.group === 'apps' && controller.kind === 'ReplicaSet') {
    for (const [label, kind] of Object.entries(hashLabels)) {
      const suffix = `-${pod.labels.get(label) ?? ''}`;
      if (suffix !== '-' && controller.name.endsWith(suffix) && controller.name !== suffix)
        return `${kind}/${controller.name.slice(0, -suffix.length)}`;
    }
  }
  if (controller.group === 'batch' && controller.kind === 'Job') {
    const [, cronJob, minute] = jobOfCronJob.exec(controller.name) ?? [];
    if (cronJob !== undefined && Number(minute) >= firstCronJobMinute) return `CronJob/${cronJob}`;
  }
  return `${controller.kind}/${controller.name}`;
}
