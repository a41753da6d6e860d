import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findProgram } from '../../src/emulate/programs.ts';
import { readCommandLine } from '../../src/pod/command-line.ts';
import { describeWith, program } from '../support/process.ts';

/** A program of the scripts that says, on a pipe that no redirection of theirs touches, who it is. */
const witness = `#!/bin/sh
echo "$$ $*" >&3
exit "\${2:-0}"
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-shells-'));
  writeFileSync(join(folder, 'p'), witness, { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a shell and returns, by the arguments of each program, whether the shell had turned into it. */
async function whoReplaced(path: string, words: readonly string[]): Promise<Map<string, boolean>> {
  const [argv0 = '', ...args] = words;
  const child = spawn(path, args, {
    argv0,
    env: { PATH: `${folder}:${process.env.PATH}` },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const pipe = child.stdio[3];
  if (!pipe || !('read' in pipe)) throw new Error('there is no pipe to the shell');
  const [said] = await Promise.all([text(pipe), once(child, 'exit')]);
  const lines = said.matchAll(/^(\d+) (.*)$/gm);
  return new Map(Array.from(lines, ([, pid, args = '']) => [args, Number(pid) === child.pid]));
}

/** What was read of the same words, by the arguments of each program. */
function readChildren(words: readonly string[]): Map<string, boolean> {
  const invocations = readCommandLine(words).invocations.filter((invocation) => invocation.program === 'p');
  return new Map(invocations.map(({ argv, childOfShell }) => [argv.slice(1).join(' '), childOfShell]));
}

type Shell = 'bash' | 'dash' | 'busybox';

/**
 * Scripts, and the shells that exec a program of it although it is called a child: those in which older versions of
 * bash forked (`;`, `command`), lists with `||`, and all but a single command in busybox.
 */
const table: readonly (readonly [script: string, cautious?: readonly Shell[]])[] = [
  ['p a'],
  ['p a\n'],
  ['\n  p a  \n', ['busybox']],
  ['p a\n\n', ['busybox']],
  ['p a   \n  ', ['busybox']],
  ['p a;'],
  ['p a # why'],
  ['p a\n# why'],
  ['# why\np a'],
  ['A=1 p a'],
  ['p a > /dev/null'],
  ['p a 2>&1'],
  ['p a <<E\nx\nE'],
  ['"p" a'],
  ['A="$(p b)" p a'],
  ['env A=1 p a'],
  ['nice p a'],
  ['nohup p a'],
  ['p a; p b', ['bash', 'busybox']],
  ['p a\np b', ['busybox']],
  ['cd /; p a', ['bash', 'busybox']],
  ['set -e\np a\n', ['busybox']],
  ['set -e\np a && p b\n', ['busybox']],
  ['p a && p b', ['busybox']],
  ['p a && p b && p c', ['busybox']],
  ['p a && A=1 p b', ['busybox']],
  ['p a && p b > /dev/null', ['busybox']],
  ['p a > /dev/null && p b', ['busybox']],
  ['[ -d / ] && p a', ['busybox']],
  ['echo x && p a', ['busybox']],
  ['! p a 1 && p b', ['busybox']],
  ['(p a) && p b', ['busybox']],
  ['if true; then p a; fi && p b', ['busybox']],
  ['p a | p b && p c', ['busybox']],
  ['p a; p b && p c', ['busybox']],
  ['p a || p b'],
  ['p a 1 || p b', ['bash', 'busybox']],
  ['p a || p b && p c', ['bash', 'busybox']],
  ['p a && p b || p c'],
  ['p a || true'],
  ['p a && true'],
  ['p a; exit 0'],
  ['! p a'],
  ['p a | p b'],
  ['p a && p b | p c'],
  ['true | p a'],
  ['{ p a; }', ['busybox']],
  ['( p a )', ['busybox']],
  ['( p a; p b )', ['busybox']],
  ['( exec p a )', ['busybox']],
  ['if true; then p a; fi', ['busybox']],
  ['case x in x) p a;; esac', ['busybox']],
  ['for i in 1; do p a; done'],
  ['while p a 1; do :; done'],
  ['f() { p a; }; f'],
  ['x=$(p a)'],
  ['x=$(exec p a)'],
  ['x=`p a`'],
  ['x=$(p a) && p b', ['busybox']],
  ['eval p a'],
  ["eval 'exec p a'"],
  ['command p a', ['bash', 'busybox']],
  ['trap : TERM; p a'],
  ['trap : EXIT && p a'],
  ["trap '' TERM && p a", ['busybox']],
  ['trap - TERM && p a', ['busybox']],
  ['p a & wait'],
  ['p a & p b', ['busybox']],
  ['p a &\np b', ['busybox']],
  ['exec p a'],
  ['exec p a > /dev/null'],
  ['exec env A=1 p a'],
  ['command exec p a'],
  ['p a; exec p b'],
  ['p a && exec p b'],
  ['p a\nexec p b\n'],
  ['p a & exec p b'],
  ['exec 2>&1; p a', ['bash', 'busybox']],
  ['if true; then exec p a; fi'],
  ['if true; then exec p a; else exec p b; fi'],
  ['{ exec p a; }'],
  ['[ -f /nowhere ] || exec p a'],
  ['exec p a | cat'],
];

const scripts = table.map(([script, cautious = []]) => ({ script, cautious }));

/** A shell as a container would name it, and where its program is. */
interface Case {
  readonly name: Shell;
  readonly aptPackage: string;
  readonly words: readonly string[];
}

const shells: readonly Case[] = [
  { name: 'bash', aptPackage: 'bash', words: ['bash'] },
  { name: 'dash', aptPackage: 'dash', words: ['dash'] },
  { name: 'busybox', aptPackage: 'busybox', words: ['busybox', 'sh'] },
];

for (const { name, aptPackage, words } of shells) {
  describeWith([program(name, aptPackage)], `what the real ${name} turns into`, () => {
    const path = findProgram(name) ?? name;

    it.each(scripts)('$script', async ({ script, cautious }) => {
      const command = [...words, '-c', script];
      const replaced = await whoReplaced(path, command);
      expect(replaced.size).toBeGreaterThan(0);
      const read = readChildren(command);
      for (const [args, isShell] of replaced) {
        const isCautious = isShell && read.get(args) === true && cautious.includes(name);
        if (!isCautious) expect({ args, child: read.get(args) }).toEqual({ args, child: !isShell });
      }
      const line = readCommandLine(command);
      const became = [...replaced].filter(([, isShell]) => isShell).map(([args]) => args);
      if (line.program !== null) expect(became).toEqual([line.program.slice(1).join(' ')]);
      if (line.shell?.mayStay === false) expect(became).toHaveLength(1);
    });

    it.each([
      [['-ec', 'p a && p b']],
      [['-euxc', 'p a']],
      [['-c', '--', 'p a']],
      [['-e', '-c', 'p a']],
      [['-c', '-e', 'p a']],
      [['-o', 'errexit', '-c', 'exec p a']],
    ])('options %j', async (options) => {
      const replaced = await whoReplaced(path, [...words, ...options]);
      const read = readChildren([...words, ...options]);
      expect([...read.keys()]).toEqual([...replaced.keys()]);
      for (const [args, child] of read) if (!child) expect([args, replaced.get(args)]).toEqual([args, true]);
    });

    it.each([
      ['exec "$@"', ['sh', 'p', 'a b'], ['p', 'a b']],
      ['exec "$0" "$@"', ['p', 'a', ''], ['p', 'a', '']],
      ['exec $2 $1', ['sh', 'a  b', 'p'], ['p', 'a', 'b']],
      ['exec p "$*"', ['sh', 'x', 'y'], ['p', 'x y']],
      ['exec p $3 "$3" x$1"y$2"', ['sh', 'a b', 'c'], ['p', '', 'xa', 'byc']],
      ['exec p "x$@y" $#', ['sh', 'a', 'b'], ['p', 'xa', 'by', '2']],
      ['shift; exec "$@"', ['sh', 'x', 'p'], null],
      ['set -- p a; exec "$@"', ['sh', 'x'], null],
    ])('parameters: %j %j', async (script, operands, program) => {
      const command = [...words, '-c', script, ...operands];
      const replaced = await whoReplaced(path, command);
      const line = readCommandLine(command);
      expect(line.program).toEqual(program);
      expect(line.shell?.mayStay).toBe(false);
      expect([...replaced]).toEqual([[program ? program.slice(1).join(' ') : expect.anything(), true]]);
    });
  });
}

describeWith(
  shells.map(({ name, aptPackage }) => program(name, aptPackage)),
  'sh, which may be any of the three',
  () => {
    it.each(scripts)('$script', async ({ script }) => {
      const read = readChildren(['sh', '-c', script]);
      for (const { name, words } of shells) {
        const replaced = await whoReplaced(findProgram(name) ?? name, [...words, '-c', script]);
        for (const [args, isShell] of replaced) {
          if (read.get(args) === false)
            expect({ name, args, isShell }).toEqual({ name, args, isShell: true });
        }
      }
    });
  },
);
