import { spawnSync } from 'node:child_process';
import { block } from './markdown.ts';

/**
 * What a person sees who runs the program in the root of the repository, 100 columns wide, as a block of a page. What
 * goes to standard error stands behind the rest.
 *
 * @throws if it ends with an exit code that is not expected.
 */
export function shownBy(root: string, args: readonly string[], exitCode: number): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/main.js', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, COLUMNS: '100', NO_COLOR: '1' },
  });
  if (status !== exitCode) throw new Error(`gravekeeper ${args.join(' ')} ends with ${status}: ${stderr}`);
  return block('console', `$ npm run -s gravekeeper -- ${args.join(' ')}\n${stdout}${stderr}`);
}
