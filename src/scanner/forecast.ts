import type { LimitScope, LimitUse, PidUse } from './report.ts';

/**
 * Kernel memory that a zombie holds, charged to its container: its task_struct, kernel stack, signal and PID records.
 * Measured on Linux 6.18, x86-64: 10,000 zombies took 96 MB.
 */
export const zombieBytes = 9600;

/** A forecast further away than this says no more than that there is time. */
const farthestSeconds = 10 * 365 * 24 * 3600;

interface Scope {
  /** Whose the limit is; left out or null for what a scope does not have, or what is not known. */
  readonly podUid?: string | null;
  readonly namespace?: string | null;
  readonly pod?: string | null;
  readonly containerId?: string | null;
  readonly container?: string | null;
  /** Processes and threads, zombies included. */
  readonly used: number;
  /** Growth by zombies alone; null while it is not known. */
  readonly slopePerSecond: number | null;
}

/** What a limit on the number of processes and threads holds for. */
export interface PidScope extends Scope {
  readonly scope: Exclude<LimitScope, 'memory'>;
  readonly limit: number;
}

/** A container, whose memory zombies use up. */
export interface MemoryScope extends Scope {
  readonly scope: 'memory';
  /** What is left of its limit. */
  readonly freeBytes: number;
}

export type LimitedScope = PidScope | MemoryScope;

/** When what is limited will be used up. */
export interface Forecast {
  /** The soonest first; then those without a forecast, the fullest first. */
  readonly limitUses: readonly LimitUse[];
  /**
   * By the limit that is reached first, or, where none is in sight, by the lower of pid_max and threads-max; null
   * where neither is among the scopes.
   */
  readonly pids: Omit<PidUse, 'unreadable'>;
}

/** Forecasts when each limit is reached if zombies go on to gather as they do. */
export function forecast(scopes: readonly LimitedScope[]): Forecast {
  const limitUses = scopes.map(limitUse).toSorted(bySoonest);
  return { limitUses, pids: firstReached(limitUses) };
}

function bySoonest(a: LimitUse, b: LimitUse): number {
  const never = Number.MAX_VALUE;
  return (
    (a.secondsToExhaustion ?? never) - (b.secondsToExhaustion ?? never) || b.used * a.limit - a.used * b.limit
  );
}

function firstReached(limitUses: readonly LimitUse[]): Forecast['pids'] {
  const first =
    limitUses.find(({ secondsToExhaustion }) => secondsToExhaustion !== null) ??
    // The lower is the fuller one, since the same processes count against both.
    limitUses.find(({ scope }) => scope === 'pid_max' || scope === 'threads-max');
  if (first === undefined) return { used: null, limit: null, limitedBy: null, secondsToExhaustion: null };
  const { used, limit, scope, secondsToExhaustion } = first;
  return { used, limit, limitedBy: scope, secondsToExhaustion };
}

function limitUse(input: LimitedScope): LimitUse {
  const limit = limitOf(input);
  return {
    scope: input.scope,
    podUid: input.podUid ?? null,
    namespace: input.namespace ?? null,
    pod: input.pod ?? null,
    containerId: input.containerId ?? null,
    container: input.container ?? null,
    used: input.used,
    limit,
    newPerHour: input.slopePerSecond === null ? null : toOneDecimal(input.slopePerSecond * 3600),
    secondsToExhaustion: secondsToExhaustion(input, limit),
  };
}

function limitOf(input: LimitedScope): number {
  if (input.scope !== 'memory') return input.limit;
  return input.used + Math.floor(Math.max(0, input.freeBytes) / zombieBytes);
}

function toOneDecimal(value: number): number {
  return Math.round(value * 10) / 10;
}

function secondsToExhaustion({ scope, used, slopePerSecond }: LimitedScope, limit: number): number | null {
  const isMemory = scope === 'memory';
  // Memory that is full, and still nobody was killed, is full of what the kernel can take back: a forecast by what
  // is free would tell nothing of zombies.
  if (used >= limit) return isMemory ? null : 0;
  if (slopePerSecond === null || slopePerSecond <= 0) return null;
  const seconds = Math.floor((limit - used) / slopePerSecond);
  if (seconds > farthestSeconds) return null;
  return isMemory ? Math.max(1, seconds) : seconds;
}
