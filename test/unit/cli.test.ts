import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli.ts';

let stdout: string;
let stderr: string;

beforeEach(() => {
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** Runs the program, and returns its exit code. */
async function run(...args: readonly string[]): Promise<number> {
  process.exitCode = undefined;
  await main(['node', 'main.js', ...args]);
  return Number(process.exitCode ?? 0);
}

describe('main', () => {
  it('prints the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await run('--version')).toBe(0);
    expect(stdout).toBe(`${version}\n`);
  });

  it('shows every command in its help, with examples and exit codes', async () => {
    expect(await run('--help')).toBe(0);
    for (const command of ['webhook', 'demo', 'explain', 'emulate', 'certs']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command} +\\S`, 'm'));
    }
    expect(stdout).toMatch(/Examples:\n {2}gravekeeper /);
    expect(stdout).toMatch(/Exit codes: 0 clean, 1 findings, 2 bad usage or input/);
  });

  it.each(['webhook', 'demo', 'explain', 'emulate', 'certs'])(
    'shows the help of %s, with examples',
    async (command) => {
      expect(await run(command, '--help')).toBe(0);
      expect(stdout).toMatch(`Usage: gravekeeper ${command} [options]`);
      expect(stdout).toMatch(`Examples:\n  gravekeeper ${command}`);
      const byOption = stdout;
      stdout = '';
      expect(await run('help', command)).toBe(0);
      expect(stdout).toBe(byOption);
    },
  );

  it.each([
    [['certz'], /unknown command 'certz'\n\(Did you mean certs\?\)/],
    [['--versoin'], /unknown option '--versoin'\n\(Did you mean --version\?\)/],
    [['certs', '--out', 'x', '--dayz', '3'], /unknown option '--dayz'\n\(Did you mean --days\?\)/],
    [['certs'], /required option '--out <dir>' not specified/],
    [['certs', '--out', 'x', '--days', '-1'], /Expected a whole number of days from 1 to 3650/],
    [['certs', '--out', 'x', 'surplus'], /too many arguments/],
    [['explain', 'nonsense-topic'], /^gravekeeper: there is no rule or reason/],
    [[], /Usage: gravekeeper/],
  ])('ends with 2 at %j', async (args, message) => {
    expect(await run(...args)).toBe(2);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
  });
});

describe('the entry point', () => {
  it('says nothing when its reader has seen enough', async () => {
    const child = spawn(process.execPath, ['src/main.js', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const complaints = text(child.stderr);
    expect((await once(child, 'exit'))[0]).toBe(0);
    expect(await complaints).toBe('');
  });
});
