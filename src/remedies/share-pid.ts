import { isJsonObject } from '../pod/json.ts';
import type { Pod } from '../pod/pod.ts';
import type { Operation } from './remedy.ts';

const path = '/spec/shareProcessNamespace';

/** Shares the PID namespace of the pod, so that pause is PID 1 and reaps; operations below the pod's own object. */
export function sharePid(pod: Pod): readonly Operation[] {
  const present = isJsonObject(pod.raw.spec) && Object.hasOwn(pod.raw.spec, 'shareProcessNamespace');
  return [{ op: present ? 'replace' : 'add', path, value: true }];
}

/** Takes the sharing back. */
export function unsharePid(): readonly Operation[] {
  return [{ op: 'remove', path }];
}
