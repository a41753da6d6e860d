import { spawnSync } from 'node:child_process';

/** Programs that the tests start, and the Debian packages that bring them. */
const programs = [
  ['docker-registry', 'docker-registry'],
  ['skopeo', 'skopeo'],
  ['runc', 'runc'],
  ['busybox', 'busybox-static'],
  ['tini-static', 'tini'],
] as const;

/** Why the tests cannot run here, or null. */
export function obstacle(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs Linux and root';
  const missing = programs.filter(([program]) => spawnSync('which', [program]).status !== 0);
  if (missing.length === 0) return null;
  return `install ${missing.map(([, name]) => name).join(' ')}`;
}

/** Where a program is. */
export function pathOf(program: string): string {
  return spawnSync('which', [program], { encoding: 'utf8' }).stdout.trim();
}
