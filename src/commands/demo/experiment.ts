import { findTini } from '../../emulate/programs.ts';
import type { Unavailable } from '../../emulate/unavailable.ts';
import { type Count, startZombies } from '../../emulate/zombies.ts';
import { openProcRoot } from '../../proc/root.ts';

/** Real zombies counted from /proc, in a PID namespace whose PID 1 does not reap and in one with an init. */
export interface Experiment {
  readonly made: Count;
  /** What PID 1 was, and what was left. */
  readonly without: Measured;
  /** The same under the init that Gravekeeper injects; or why it could not be tried. */
  readonly with: Measured | Unavailable;
}

/** Zombies that /proc showed. */
export interface Measured {
  /** The command line of PID 1. */
  readonly pid1: string;
  readonly left: Count;
}

/** Words of PID 1's command line that tell what it is. */
const shown = 3;

/** As many orphans as the demo speaks of, and a few children that nobody can reap but their parent. */
const made: Count = { orphans: 5, unreaped: 3 };

/**
 * Makes zombies in a PID namespace of their own and counts what is left of them in /proc, first under a PID 1 that
 * does not reap and then under tini.
 *
 * @returns The counts, or why there are none: nothing is ever made up.
 */
export async function runExperiment(): Promise<Experiment | Unavailable> {
  const again = 'npm run -s demo';
  const without = await measure(null, again);
  if ('unavailable' in without) return without;
  return { made, without, with: await measure([findTini() ?? 'tini', '-s', '--'], again) };
}

async function measure(init: readonly string[] | null, again: string): Promise<Measured | Unavailable> {
  const emulation = await startZombies({ ...made, init, again });
  if ('unavailable' in emulation) return emulation;
  try {
    const words = openProcRoot('/proc').commandLine(emulation.pid1) ?? [];
    return { pid1: words.slice(0, shown).join(' '), left: emulation.count() };
  } finally {
    await emulation.stop();
  }
}
