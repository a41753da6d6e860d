import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { findTini } from '../../src/emulate/programs.ts';
import {
  type Container,
  type ContainerOptions,
  scratchFolder,
  startContainer,
  writeProgram,
} from '../support/container.ts';
import { judgedPod, type PodAround } from '../support/judged-pod.ts';
import { type ContainerFields, environmentOf, executedArgv, type ImageFields } from '../support/kubelet.ts';
import { describeWith, privateProc, tini } from '../support/process.ts';

/** Writes down how it was started, as the kernel has it, and ends as it is told. */
const report = `
cat /proc/$$/cmdline > "$REPORT/cmdline"
cat /proc/$$/environ > "$REPORT/environ"
pwd -P > "$REPORT/cwd"
# Of the child, which inherits all of these: a shell blocks signals itself while it forks.
grep -E '^(Umask|Uid|Gid|Groups|Sig(Blk|Ign)|Cap|NoNewPrivs|Seccomp)' /proc/self/status > "$REPORT/status"
exit "\${EXIT_CODE:-0}"
`;

/** Handles four signals, of which only TERM ends it, and repeats what it hears. */
const server = `
for (const name of ['SIGHUP', 'SIGUSR1', 'SIGINT']) process.on(name, () => console.log('handled', name));
process.on('SIGTERM', () => { console.log('handled SIGTERM'); process.exit(7); });
process.stdin.on('data', (data) => console.log('heard', String(data).trim()));
process.stdin.on('end', () => process.exit(1));
console.log('ready');
`;

let folder: string;

beforeEach(() => {
  folder = scratchFolder();
  writeProgram(folder, 'report', `#!/bin/sh${report}`);
  writeProgram(folder, 'no-shebang', report);
  writeProgram(folder, 'server.mjs', server);
  writeProgram(folder, 'die', '#!/bin/sh\nkill -s "$1" $$\n');
});

/** What the pod would run without Gravekeeper. */
function plain(fields: ContainerFields, image?: ImageFields): ContainerOptions {
  return optionsOf(fields, image);
}

/** What it runs with the engine's patch; the real tini lies where the copier would have put it. */
function wrapped(fields: ContainerFields, image?: ImageFields): ContainerOptions {
  const around: PodAround = image ? { image } : {};
  const { action, container } = judgedPod(fields, around);
  expect(action).toBe('tini');
  const options = optionsOf(container, image);
  const [path = ''] = options.argv;
  expect(options.argv.slice(1, 3)).toEqual(['-s', '--']);
  return { ...options, files: { [path]: findTini() ?? '' } };
}

function optionsOf(fields: ContainerFields, image?: ImageFields): ContainerOptions {
  return {
    argv: executedArgv(fields, image),
    env: environmentOf(fields),
    cwd: fields.workingDir ?? '/',
  };
}

interface Report {
  readonly exitCode: number;
  readonly argv: string[];
  readonly env: string[];
  readonly cwd: string;
  readonly status: string;
}

/** Runs a container to its end and reads what the program wrote down. */
async function reportOf(options: ContainerOptions): Promise<Report> {
  const container = startContainer(options);
  const exitCode = await container.exit;
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  try {
    return {
      exitCode,
      argv: read('cmdline').split('\0').slice(0, -1),
      env: read('environ').split('\0').slice(0, -1).sort(),
      cwd: read('cwd'),
      status: read('status'),
    };
  } catch (error) {
    throw new Error(`exit code ${exitCode}: ${container.stderr()}`, { cause: error });
  }
}

/** The variables that every container of this file has. */
function baseEnv() {
  return [
    { name: 'PATH', value: `${folder}:/usr/local/bin:/usr/bin:/bin` },
    { name: 'REPORT', value: folder },
  ];
}

interface Case {
  readonly title: string;
  readonly fields: (folder: string) => ContainerFields;
  readonly image?: (folder: string) => ImageFields;
}

const cases: readonly Case[] = [
  { title: 'a command by its path', fields: (dir) => ({ command: [`${dir}/report`] }) },
  { title: 'a command found in PATH', fields: () => ({ command: ['report', '--port', '8080'] }) },
  { title: 'command and args', fields: () => ({ command: ['report'], args: ['serve', '--verbose'] }) },
  {
    title: 'args behind the ENTRYPOINT',
    fields: () => ({ args: ['from-the-pod'] }),
    image: (dir) => ({ entrypoint: [`${dir}/report`, '-e'], cmd: ['from-the-image'] }),
  },
  {
    title: 'ENTRYPOINT and CMD of the image',
    fields: () => ({}),
    image: (dir) => ({ entrypoint: [`${dir}/report`], cmd: ['redis-server', '--appendonly', 'yes'] }),
  },
  { title: 'CMD alone', fields: () => ({}), image: () => ({ cmd: ['report', 'x'] }) },
  {
    title: 'dollars in the image, which nobody expands',
    fields: () => ({ env: [{ name: 'A', value: 'expanded' }] }),
    image: () => ({
      entrypoint: ['report', '$(A)', '$$(A)', '$$', '$'],
      cmd: ['$A', '${', '$$$$(A)', '$(', '$(A', 'a$', '$()', '$(NOT_SET)', '$(A)$(A)'],
    }),
  },
  {
    title: 'dollars in the pod, which the kubelet expands',
    fields: () => ({
      command: ['report', '$(A)', '$$(A)', '$$', '$'],
      args: ['$A', '${', '$$$$(A)', '$(', '$(A', 'a$', '$()', '$(NOT_SET)', '$(A)$(B)', '$$$(A)'],
      env: [
        { name: 'A', value: 'expanded' },
        { name: 'B', value: '$(A)-$$(A)-$(C)' },
        { name: 'C', value: '$$' },
      ],
    }),
  },
  {
    title: 'dollars of the pod behind dollars of the image',
    fields: () => ({ args: ['$(A)', '$$(A)'], env: [{ name: 'A', value: '$(B)' }] }),
    image: () => ({ entrypoint: ['report', '$(A)', '$$(A)'], cmd: ['$(A)'] }),
  },
  {
    title: 'words that look like options of tini',
    fields: () => ({ command: ['report', '-s', '--', '-g', '--version', '-h', '-p', 'SIGKILL', '-'] }),
  },
  {
    title: 'empty words, blanks, line breaks, quotes and other scripts',
    fields: () => ({
      command: [
        'report',
        '',
        ' ',
        'a  b',
        'two\nlines',
        '\t',
        '"',
        "'",
        '\\',
        '`id`',
        '*',
        'größe',
        '漢字',
        '',
      ],
    }),
  },
  {
    title: 'a thousand words',
    fields: () => ({ command: ['report', ...Array.from({ length: 1000 }, (_, index) => String(index))] }),
  },
  { title: 'a long word', fields: () => ({ command: ['report', 'x'.repeat(100_000)] }) },
  {
    title: 'a relative path and a working directory',
    fields: (dir) => ({ command: ['./report'], workingDir: dir }),
  },
  {
    title: 'a shell that execs',
    fields: () => ({
      command: ['/bin/sh', '-c', 'exec report "$A" $0 "$@"', 'zero', 'b c'],
      env: [{ name: 'A', value: '1 2' }],
    }),
  },
  {
    title: 'the shell form of an image',
    fields: () => ({}),
    image: () => ({ entrypoint: ['/bin/sh', '-c', 'exec report "$PATH" $0 $(echo hello) "\\$(A)"'] }),
  },
  {
    title: 'a script without a shebang, which the C library gives to sh',
    fields: (dir) => ({ command: [`${dir}/no-shebang`, 'a', 'b c'] }),
  },
  {
    title: 'odd variables',
    fields: () => ({
      command: ['report'],
      env: [
        { name: 'EMPTY' },
        { name: 'LINES', value: 'a\nb' },
        { name: 'with.dots-and-dashes', value: '=' },
        { name: 'HOME', value: '/nowhere' },
      ],
    }),
  },
];

describeWith([privateProc, tini], 'a program behind the injected tini', () => {
  it.each(cases)('sees what it saw without: $title', async ({ fields, image }) => {
    const own = fields(folder);
    const container = { ...own, env: [...baseEnv(), ...(own.env ?? [])] };
    const imageFields = image?.(folder);
    const without = await reportOf(plain(container, imageFields));
    const behind = await reportOf(wrapped(container, imageFields));
    expect(behind).toEqual(without);
    // The report itself must be worth something: the words came through, behind the interpreter and the script.
    expect(without.argv.length).toBeGreaterThanOrEqual(2);
    expect(without.env).toContain(`REPORT=${folder}`);
  });

  it('sees exactly the words that were meant', async () => {
    const fields = { args: ['$(A)', '$$(A)'], env: [...baseEnv(), { name: 'A', value: 'value' }] };
    const { argv } = await reportOf(wrapped(fields, { entrypoint: ['report', '$(A)', '$$'] }));
    expect(argv).toEqual(['/bin/sh', `${folder}/report`, '$(A)', '$$', 'value', '$(A)']);
  });

  it.each([0, 1, 3, 42, 126, 127, 128, 255])('ends with exit code %i as without', async (code) => {
    const fields = { command: ['report'], env: [...baseEnv(), { name: 'EXIT_CODE', value: String(code) }] };
    expect((await reportOf(plain(fields))).exitCode).toBe(code);
    expect((await reportOf(wrapped(fields))).exitCode).toBe(code);
  });

  // PID 1 cannot kill itself by a signal, so there is nothing to compare these with.
  it.each([
    ['HUP', 129],
    ['ABRT', 134],
    ['KILL', 137],
    ['SEGV', 139],
    ['TERM', 143],
  ])('ends with 128 + n when it dies of SIG%s', async (signal, code) => {
    const container = startContainer(wrapped({ command: ['die', signal], env: baseEnv() }));
    expect(await container.exit).toBe(code);
  });

  // Without tini the runtime refuses to start these, and the container's status says why.
  it.each([
    ['no-such-program', 127, 'No such file or directory'],
    ['/etc', 126, 'Permission denied'],
  ])('cannot start %s: exit code %i', async (name, code, message) => {
    const container = startContainer(wrapped({ command: [name], env: baseEnv() }));
    expect(await container.exit).toBe(code);
    expect(container.stderr()).toContain(message);
  });

  it('gets the signals that it handles, and its input', async () => {
    const talk = async (container: Container) => {
      const heard = [await container.line()];
      for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGINT', 'SIGHUP'] as const) {
        container.signal(signal);
        heard.push(await container.line());
      }
      container.say('hello');
      heard.push(await container.line());
      container.signal('SIGTERM');
      heard.push(await container.line(), String(await container.exit));
      return heard;
    };
    const fields = { command: [process.execPath, 'server.mjs'], workingDir: folder };
    const without = await talk(startContainer(plain(fields)));
    expect(without).toEqual([
      'ready',
      'handled SIGHUP',
      'handled SIGUSR1',
      'handled SIGINT',
      'handled SIGHUP',
      'heard hello',
      'handled SIGTERM',
      '7',
    ]);
    expect(await talk(startContainer(wrapped(fields)))).toEqual(without);
  });
});

describe('the words behind the injected tini', () => {
  const word = fc.string({
    unit: fc.constantFrom('$', '(', ')', '{', 'A', 'B', ' ', '-', '\n', 'é'),
    maxLength: 12,
  });
  const words = fc.array(word, { maxLength: 4 });
  const env = [
    { name: 'A', value: 'a$(B)$$' },
    { name: 'B', value: '$(A)' },
  ];

  it('are the same after the kubelet has expanded them, whatever dollars the image holds', () => {
    fc.assert(
      fc.property(words, words, words, (entrypoint, cmd, args) => {
        const image = { entrypoint: ['server', ...entrypoint], cmd };
        const fields = { args, env };
        const { action, container } = judgedPod(fields, { image });
        fc.pre(action === 'tini');
        expect(executedArgv(container, image)).toEqual([
          '/.gravekeeper/tini',
          '-s',
          '--',
          ...executedArgv(fields, image),
        ]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are the same after the kubelet has expanded them, whatever dollars the pod holds', () => {
    fc.assert(
      fc.property(words, words, (command, args) => {
        const fields = { command: ['server', ...command], args, env };
        const { action, container } = judgedPod(fields);
        fc.pre(action === 'tini');
        expect(executedArgv(container).slice(3)).toEqual(executedArgv(fields));
      }),
      { numRuns: 2_000 },
    );
  });
});
