// The process of a scanner in a loop, for bench:scan: a line of input asks for one pass, and the answer is
// milliseconds, processes and zombies.
import { createInterface } from 'node:readline';
import { openProcRoot } from '../../src/proc/root.ts';
import { ProcessTable } from '../../src/proc/table.ts';
import { openLimits } from '../../src/scanner/limits.ts';
import type { PodDirectory } from '../../src/scanner/pod-facts.ts';
import { createScanner } from '../../src/scanner/scanner.ts';

const proc = openProcRoot('/proc');
const table = new ProcessTable();
const scanner = createScanner({ proc, limits: openLimits(proc, '/sys/fs/cgroup'), node: null });
const noPods: PodDirectory = { byUid: () => null, byContainerId: () => null, all: () => [] };

const passes: Record<string, () => [processes: number, zombies: number]> = {
  /** The look at every process alone. */
  table: () => {
    proc.readTable(table);
    let zombies = 0;
    for (let index = 0; index < table.size; index += 1) if (table.isZombieAt(index)) zombies += 1;
    return [table.size, zombies];
  },
  /** All that the scanner does, up to the report, without the names of pods. */
  scan: () => [0, scanner.look(noPods).zombies],
};

for await (const kind of createInterface({ input: process.stdin })) {
  const start = performance.now();
  const [processes, zombies] = passes[kind]?.() ?? [0, 0];
  process.stdout.write(`${performance.now() - start} ${processes} ${zombies}\n`);
}
