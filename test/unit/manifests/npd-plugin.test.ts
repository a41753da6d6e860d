import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npdFile } from '../../../src/scanner/formats/npd.ts';
import { describeWith, program } from '../../support/process.ts';
import { manifests } from './read.ts';

const plugin = join(manifests, 'components/node-problem-detector/gravekeeper-zombies.sh');
const now = () => Math.floor(Date.now() / 1000);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gravekeeper-plugin-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([['dash'], ['bash'], ['busybox', 'sh']])(
  'the plugin of node-problem-detector under %s',
  (...shell) => {
    const [name = 'sh', ...words] = shell;

    describeWith([program(name, name === 'busybox' ? 'busybox-static' : name)], 'runs', () => {
      function run(...args: string[]) {
        const { status, stdout, stderr } = spawnSync(name, [...words, plugin, ...args], {
          encoding: 'latin1',
          timeout: 10_000,
        });
        expect(stderr).toBe('');
        return { status, stdout };
      }

      /** What it makes of a file with this content. */
      function given(content: string | Buffer, ...args: string[]) {
        const path = join(folder, 'npd');
        writeFileSync(path, content);
        return run(path, ...args);
      }

      it.each([
        [0, 'No zombies'],
        [1, '12 zombies; 12 orphan of shop/web-0 (app)'],
        [2, 'Unknown: 40 processes or threads could not be looked at'],
      ] as const)('passes status %i and the message on as the scanner wrote them', (status, message) => {
        expect(given(npdFile({ status, message }, now()))).toEqual({ status, stdout: `${message}\n` });
      });

      it('does not know where the file is missing, and says what to look at', () => {
        expect(run(join(folder, 'missing'))).toEqual({
          status: 2,
          stdout: `${join(folder, 'missing')} is missing: does the scanner run on this node, with --npd-file?\n`,
        });
      });

      it('does not know where the result is too old, by default of two minutes', () => {
        const written = now() - 130;
        const old = given(`${written}\n0\nNo zombies\n`);
        expect(old.status).toBe(2);
        expect(old.stdout).toMatch(
          /^the scanner's last result is 13\d s old, more than 120 s: does it still run\?\n$/,
        );
        expect(given(`${written}\n0\nNo zombies\n`, '300').status).toBe(0);
      });

      it('does not know where the result is from the future', () => {
        const future = given(`${now() + 1000}\n0\nNo zombies\n`);
        expect(future.status).toBe(2);
        expect(future.stdout).toMatch(/^the scanner's result is from the future, by \d+ s/);
      });

      it.each([
        ['nothing', ''],
        ['no time', 'soon\n0\nNo zombies\n'],
        ['a negative time', '-5\n0\nNo zombies\n'],
        ['a time that arithmetic takes for octal', '0123\n0\nNo zombies\n'],
        ['a time beyond arithmetic', '99999999999999999999\n0\nNo zombies\n'],
        ['a time that runs a command', '$(exit 1)\n0\nNo zombies\n'],
        ['an array that runs a command', 'a[$(exit 1)]\n0\nNo zombies\n'],
        ['no status', '1700000000\n'],
        ['another status', `${now()}\n3\nNo zombies\n`],
        ['a status with more behind it', `${now()}\n0 0\nNo zombies\n`],
        ['no message', `${now()}\n0\n`],
        ['an empty message', `${now()}\n0\n\n`],
        ['no newline at all', `${now()}`],
        ['bytes', Buffer.from([0, 255, 10, 7, 10, 0])],
      ])('does not know where the file has %s', (_, content) => {
        const { status, stdout } = given(content);
        expect(status).toBe(2);
        expect(stdout).toMatch(
          /^\S+npd (does not begin with a time in seconds|has no (status|message) .*)\n$/,
        );
      });

      it('prints printable ASCII alone, in one line, whatever the message holds', () => {
        const hostile = Buffer.from(
          `${now()}\n1\n\x1b[31mred\x1b[0m\t\x07$(reboot) %s \\n \xff<b>\nmore\n`,
          'latin1',
        );
        expect(given(hostile)).toEqual({ status: 1, stdout: '?[31mred?[0m??$(reboot) %s \\n ?<b>\n' });
      });

      it('reads no more than it needs of a file without end', () => {
        const { status, stdout } = given(`${now()}\n1\n${'z'.repeat(10_000_000)}\n`);
        expect(status).toBe(1);
        expect(stdout.length).toBeLessThanOrEqual(4096);
      });

      it('follows no link, waits for no pipe, and reads no folder', () => {
        const target = join(folder, 'secret');
        writeFileSync(target, npdFile({ status: 0, message: 'secret' }, now()));
        const link = join(folder, 'link');
        symlinkSync(target, link);
        const pipe = join(folder, 'pipe');
        execFileSync('mkfifo', [pipe]);
        const directory = join(folder, 'directory');
        mkdirSync(directory);
        for (const path of [link, pipe, directory]) {
          expect(run(path)).toEqual({ status: 2, stdout: `${path} is not a plain file\n` });
          rmSync(path, { recursive: true });
        }
      });

      it('refuses a greatest age that is no number', () => {
        for (const age of ['1h', '-1', '0x10']) {
          expect(given(npdFile({ status: 0, message: 'No zombies' }, now()), age).status).toBe(2);
        }
      });
    });
  },
);
