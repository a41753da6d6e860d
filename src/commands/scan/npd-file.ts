import { renameSync, writeFileSync } from 'node:fs';
import { type NpdResult, npdFile } from '../../scanner/formats/npd.ts';

/**
 * Writes a result where node-problem-detector's plugin reads it. Whoever reads at that moment sees the old one or the
 * new one, never half of it.
 *
 * @param path The file; its folder must be there.
 * @throws if it cannot be written.
 */
export function writeNpdFile(path: string, result: NpdResult): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, npdFile(result, Date.now() / 1000), { mode: 0o644 });
  renameSync(temporary, path);
}
