import type { Evidence, FixableBy, ZombieKind } from '../../src/scanner/report.ts';
import type { View } from './views.ts';

/** A group of zombies as the scanner has to report it. */
export interface ExpectedGroup {
  readonly count: number;
  readonly kind: ZombieKind;
  readonly certain: boolean;
  readonly fixableBy: FixableBy;
  /** Whether it can be told which pod it belongs to. */
  readonly podKnown: boolean;
  /** Name of the container; null where it cannot be told. */
  readonly container: string | null;
  readonly parent: { readonly comm: string; readonly isPid1: boolean };
  readonly evidence: Evidence | null;
}

/** Only cgroup v2 keeps the cgroup of a dead process; v1 leaves that of its parent. */
export const knowsDead = ({ cgroups }: View): boolean => cgroups !== 'v1';
const evidence = (view: View): Evidence => (knowsDead(view) ? 'own-cgroup' : 'parent-cgroup');

/** What PID 1 of a container adopted and does not wait for. */
export const orphans = (count: number, view: View): ExpectedGroup => ({
  count,
  kind: 'orphan',
  certain: false,
  fixableBy: 'init',
  podKnown: true,
  container: 'app',
  parent: { comm: 'app', isPid1: true },
  evidence: evidence(view),
});

/** What a process that is not PID 1 started and does not wait for. */
export const unreaped = (count: number, view: View, comm = 'app'): ExpectedGroup => ({
  ...orphans(count, view),
  kind: 'unreaped-child',
  certain: true,
  fixableBy: 'app',
  parent: { comm, isPid1: false },
});

/** What pause adopted and does not wait for. */
export const left = (count: number, view: View, container: string): ExpectedGroup => ({
  ...orphans(count, view),
  container: knowsDead(view) ? container : null,
  parent: { comm: 'pause', isPid1: true },
});

export const none = (): readonly ExpectedGroup[] => [];
