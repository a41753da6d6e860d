import { costOf, type KernelMemory, MEASURABLE } from '../../emulate/kernel-memory.ts';
import type { Count, Measured } from '../../emulate/zombies.ts';

/** What one zombie costs the kernel in bytes, where that can be told, and by whose account. */
export interface Memory {
  readonly bytesPerZombie: number | null;
  /** How far that may be from the truth; null where others change the account at the same time. */
  readonly plusMinusBytes: number | null;
  readonly source: string | null;
  readonly of: KernelMemory['of'] | null;
}

/** @param measured Null where no account could be read. */
export function memoryOf(measured: Measured | null): Memory {
  if (measured === null) return { bytesPerZombie: null, plusMinusBytes: null, source: null, of: null };
  const { orphans, before, after } = measured;
  const cost = costOf(orphans, before, after);
  return { ...(cost ?? { bytesPerZombie: null, plusMinusBytes: null }), source: after.source, of: after.of };
}

/** One sentence on it for people. */
export function memoryLine(memory: Memory, there: Count): string {
  if (memory.source === null) return 'What they cost the kernel cannot be read here.';
  if (memory.bytesPerZombie === null) return whyUntold(memory, there);
  const about = `One costs the kernel ${kibibytes(memory)}, by what ${memory.source} grew with the orphans`;
  if (memory.of === 'own-cgroup') return `${about}.`;
  const others = memory.of === 'machine' ? 'on this machine' : 'in this cgroup';
  return `${about}, with what others did ${others} at the same time.`;
}

function whyUntold({ of, source }: Memory, { orphans, unreaped }: Count): string {
  if (orphans === 0) {
    return unreaped === 0
      ? 'They cost the kernel nothing any more.'
      : 'What one costs is measured with orphans: the living parent of unreaped children has memory of its own.';
  }
  if (of !== 'own-cgroup' && orphans < MEASURABLE) {
    return `From ${MEASURABLE} orphans on, the memory that each one costs is shown too.`;
  }
  return `What so few of them cost the kernel cannot be told: ${source} is not that exact.`;
}

function kibibytes({ bytesPerZombie, plusMinusBytes }: Memory): string {
  const [cost, error] = [bytesPerZombie, plusMinusBytes].map((bytes) => ((bytes ?? 0) / 1024).toFixed(1));
  if (plusMinusBytes === null) return `about ${cost} KiB`;
  return error === '0.0' ? `${cost} KiB` : `${cost} KiB ± ${error}`;
}
