import { chmodSync, chownSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { findProgram, findTini } from '../../src/emulate/programs.ts';
import type { Reason } from '../../src/reasons.ts';
import {
  type Container,
  type ContainerOptions,
  scratchFolder,
  startContainer,
  writeProgram,
} from '../support/container.ts';
import { judgedPod, type PodAround } from '../support/judged-pod.ts';
import { describeWith, privateProc, program, root, tini } from '../support/process.ts';

/** Answers what it hears, and cleans up when it is told to end. */
const server = `#!/bin/sh
trap 'echo cleaned up; exit 0' TERM
echo ready
while read -r line; do echo "heard $line"; done
`;

/** The same without a handler for TERM. */
const serverWithoutHandler = `
process.stdin.on('data', (data) => console.log('heard', String(data).trim()));
process.stdin.on('end', () => process.exit(1));
console.log('ready');
`;

const tiniPath = '/.gravekeeper/tini';
let folder: string;

beforeEach(() => {
  folder = scratchFolder();
  writeProgram(folder, 'server', server);
  writeProgram(folder, 'no-handler.mjs', serverWithoutHandler);
});

/** Starts a program as PID 1, as the pod has it. */
function plain(argv: readonly string[], options: Partial<ContainerOptions> = {}): Container {
  const env = new Map([
    ['PATH', `${folder}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`],
    ...(options.env ?? []),
  ]);
  return startContainer({ argv, ...options, env });
}

/** Starts it behind tini, as an injection without any caution would. */
function behindTini(argv: readonly string[], options: Partial<ContainerOptions> = {}): Container {
  const files = { ...options.files, [tiniPath]: findTini() ?? '' };
  return plain([tiniPath, '-s', '--', ...argv], { ...options, files });
}

/** Expects that neither auto nor the label puts tini there, for the reason given. */
function expectNoTini(reason: Reason, argv: readonly string[], around: PodAround = {}): void {
  for (const inject of ['auto', 'tini'] as const) {
    const decision = judgedPod({ command: argv }, { ...around, inject });
    expect(decision.reason).toBe(reason);
    expect(decision.action).not.toBe('tini');
    expect(decision.container.command).toEqual(argv);
  }
}

/** Everything that a container prints until it ends. */
async function restOf(container: Container): Promise<string[]> {
  const lines: string[] = [];
  for (let line = await container.line(); line !== null; line = await container.line()) lines.push(line);
  return lines;
}

/** Waits until so many programs are ready, sends TERM, and answers what is said then, and the exit code. */
async function stop(container: Container, ready = 1): Promise<{ said: string[]; code: number }> {
  for (let said = 0; said < ready; said += 1) expect(await container.line()).toBe('ready');
  container.signal('SIGTERM');
  return { said: await restOf(container), code: await container.exit };
}

/** Sends TERM and then asks whether anyone is still there. */
async function survives(container: Container): Promise<string | null> {
  expect(await container.line()).toBe('ready');
  container.signal('SIGTERM');
  container.say('anyone there?');
  return container.line();
}

describeWith(
  [privateProc, tini, root, program('setpriv', 'util-linux')],
  'tini and a program of another user',
  () => {
    const withoutKill = ['--bounding-set=-kill', '--inh-caps=-kill'];
    const dropUser = ['setpriv', '--reuid=64999', '--regid=64999', '--clear-groups', 'server'];
    const drop = { securityContext: { capabilities: { drop: ['ALL'], add: ['SETUID', 'SETGID'] } } };

    it('stops cleanly without tini when it has dropped root', async () => {
      expect(await stop(plain(dropUser, { privileges: withoutKill }))).toEqual({
        said: ['cleaned up'],
        code: 0,
      });
    });

    it('is torn down by a tini that lacks CAP_KILL', async () => {
      const container = behindTini(dropUser, { privileges: withoutKill });
      expect(await stop(container)).toEqual({ said: [], code: 1 });
      expect(container.stderr()).toContain('Operation not permitted');
    });

    it('stops cleanly under a tini that has CAP_KILL, which is why the engine looks at capabilities', async () => {
      const container = behindTini(dropUser, { privileges: ['--inh-caps=-kill'] });
      expect(await stop(container)).toEqual({ said: ['cleaned up'], code: 0 });
      expect(judgedPod({ command: dropUser })).toMatchObject({ action: 'tini' });
    });

    it('is left alone by the engine', () => {
      expectNoTini('uid-change', dropUser, { more: drop });
    });

    // A setuid copy of setpriv becomes root for good, as sudo does. Nobody else may run it.
    const becomeRoot = ['sudo', '--reuid=0', '--regid=0', '--clear-groups', 'server'];
    const asStranger = ['--reuid=64999', '--regid=64999', '--clear-groups'];

    function installSudo(): void {
      const sudo = join(folder, 'sudo');
      copyFileSync(findProgram('setpriv') ?? '', sudo);
      chownSync(sudo, 0, 64999);
      chmodSync(sudo, 0o4750);
    }

    it('stops cleanly without tini when it has become root', async () => {
      installSudo();
      const container = plain(becomeRoot, { privileges: asStranger });
      expect(await stop(container)).toEqual({ said: ['cleaned up'], code: 0 });
    });

    it('is torn down by a tini that is not root when it has become root', async () => {
      installSudo();
      const container = behindTini(becomeRoot, { privileges: asStranger });
      expect(await stop(container)).toEqual({ said: [], code: 1 });
      expect(container.stderr()).toContain('Operation not permitted');
    });

    it('is left alone by the engine when it may become root', () => {
      const more = { securityContext: { runAsUser: 64999 } };
      expectNoTini('uid-change', ['sudo', '-n', 'server'], { more });
    });
  },
);

describeWith([privateProc, tini, program('dash', 'dash')], 'tini and a shell that stays', () => {
  it.each([['server; true'], ['server'], ['while true; do server; done']])(
    'dash -c %j: serves on after TERM without tini, and dies at once with it',
    async (script) => {
      const argv = ['dash', '-c', script];
      expect(await survives(plain(argv))).toBe('heard anyone there?');
      expect(await stop(behindTini(argv))).toEqual({ said: [], code: 143 });
    },
  );

  it.each([['server; true'], ['server'], ['while true; do server; done']])(
    'sh -c %j is left alone by the engine on its own',
    (script) => {
      const { action, reason } = judgedPod({ command: ['sh', '-c', script] });
      expect({ action, reason }).toEqual({ action: 'none', reason: 'shell-not-exec' });
    },
  );

  /** The shell has to know the PID and the server to have its handler before TERM may come: both say so. */
  const trapping =
    'exec 3<&0; server <&3 & pid=$!; trap "kill -TERM $pid; wait $pid; exit \\$?" TERM; echo ready; wait $pid';

  it.each([
    ['dash', 'exec server', 1],
    ['dash', trapping, 2],
    ['bash', 'server', 1],
    ['bash', 'true && server', 1],
  ])('%s -c %j ends as cleanly with tini as without, and gets it', async (shell, script, ready) => {
    const argv = [shell, '-c', script];
    const without = await stop(plain(argv), ready);
    expect(without).toEqual({ said: ['cleaned up'], code: 0 });
    expect(await stop(behindTini(argv), ready)).toEqual(without);
    expect(judgedPod({ command: argv })).toMatchObject({ action: 'tini' });
  });
});

describeWith([privateProc, tini, program('busybox', 'busybox')], 'tini and busybox sh', () => {
  it('turns into its one command, and gets it', async () => {
    const argv = ['busybox', 'sh', '-c', 'server'];
    const without = await stop(plain(argv));
    expect(without).toEqual({ said: ['cleaned up'], code: 0 });
    expect(await stop(behindTini(argv))).toEqual(without);
    expect(judgedPod({ command: argv })).toMatchObject({ action: 'tini' });
  });
});

describeWith([privateProc, tini], 'tini and a program that relies on being PID 1', () => {
  it('does not start an init that insists on it', async () => {
    // As s6-overlay does: https://github.com/just-containers/s6-overlay/issues/383
    const init = writeProgram(
      folder,
      'init',
      '#!/bin/sh\nif [ $$ -ne 1 ]; then echo "can only run as pid 1" >&2; exit 100; fi\necho started\n',
    );
    const files = { '/init': init };
    const without = plain(['/init'], { files });
    expect(await without.line()).toBe('started');
    expect(await without.exit).toBe(0);
    const behind = behindTini(['/init'], { files });
    expect(await behind.exit).toBe(100);
    expect(behind.stderr()).toContain('can only run as pid 1');
    expectNoTini('needs-pid-1', ['/init']);
    expect(judgedPod({ command: ['/init'] }, { inject: 'share-pid' })).toMatchObject({
      action: 'none',
      reason: 'needs-pid-1',
    });
  });

  it('fails a probe that looks for the program at PID 1', async () => {
    const probe = ['grep', '-qx', 'server', '/proc/1/comm'];
    const without = plain(['server']);
    expect(await without.line()).toBe('ready');
    expect(await without.exec(probe)).toBe(0);
    const behind = behindTini(['server']);
    expect(await behind.line()).toBe('ready');
    expect(await behind.exec(probe)).toBe(1);
    expectNoTini('uses-pid-1', ['server'], { more: { livenessProbe: { exec: { command: probe } } } });
  });

  it('hides the program from a hook that signals it by its name at PID 1', async () => {
    const hook = ['sh', '-c', 'test "$(cat /proc/1/comm)" = server && kill -TERM 1'];
    const without = plain(['server']);
    expect(await without.line()).toBe('ready');
    // The namespace ends with PID 1, and may take the hook with it before that has ended by itself.
    await without.exec(hook);
    expect(await restOf(without)).toEqual(['cleaned up']);
    const behind = behindTini(['server']);
    expect(await behind.line()).toBe('ready');
    expect(await behind.exec(hook)).toBe(1);
    behind.say('anyone there?');
    expect(await behind.line()).toBe('heard anyone there?');
    expectNoTini('uses-pid-1', ['server'], { more: { lifecycle: { preStop: { exec: { command: hook } } } } });
  });

  it('misleads a script that asks whether it is PID 1', async () => {
    const script = 'if [ $$ = 1 ]; then exec server; fi; echo not in a container; exit 3';
    expect(await stop(plain(['sh', '-c', script]))).toEqual({ said: ['cleaned up'], code: 0 });
    const behind = behindTini(['sh', '-c', script]);
    expect(await behind.line()).toBe('not in a container');
    expect(await behind.exit).toBe(3);
    // The kubelet makes one dollar of two.
    const inPod = ['sh', '-c', script.replace('$$', '$$$$$$$$')];
    expect(inPod[2]).toContain('[ $$$$ = 1 ]');
    expectNoTini('uses-pid-1', inPod);
  });
});

describeWith([privateProc, tini], 'tini and the variables of its user', () => {
  /** Answers TERM after its worker has ended, and the worker ends when its input does. */
  const pool = `#!/bin/sh
exec 3<&0
(
  trap 'echo worker was interrupted; exit 1' TERM
  echo ready
  read -r task <&3
  echo "worker finished $task"
) &
worker=$!
trap 'echo winding up; wait "$worker"; exit 0' TERM
echo ready
while kill -0 "$worker" 2>/dev/null; do wait "$worker"; done
`;

  async function windUp(container: Container): Promise<string[]> {
    expect([await container.line(), await container.line()]).toEqual(['ready', 'ready']);
    container.signal('SIGTERM');
    const first = await container.line();
    container.say('its task');
    return [first ?? '', ...(await restOf(container))];
  }

  it('would signal the whole process group', async () => {
    writeProgram(folder, 'pool', pool);
    const calm = ['winding up', 'worker finished its task'];
    expect(await windUp(plain(['pool']))).toEqual(calm);
    expect(await windUp(behindTini(['pool']))).toEqual(calm);
    const env = new Map([['TINI_KILL_PROCESS_GROUP', '1']]);
    expect(await windUp(plain(['pool'], { env }))).toEqual(calm);
    expect(await windUp(behindTini(['pool'], { env }))).toContain('worker was interrupted');
  });

  it('would mix its own words into the output', async () => {
    const env = new Map([['TINI_VERBOSITY', '3']]);
    expect(await restOf(plain(['echo', 'hello'], { env }))).toEqual(['hello']);
    const mixed = await restOf(behindTini(['echo', 'hello'], { env }));
    expect(mixed).toContain('hello');
    expect(mixed.join('\n')).toContain('tini');
  });

  it.each(['TINI_KILL_PROCESS_GROUP', 'TINI_VERBOSITY', 'TINI_SUBREAPER'])(
    'is left alone by the engine because of %s',
    (name) => {
      expectNoTini('tini-env', ['server'], { more: { env: [{ name, value: '1' }] } });
    },
  );
});

describeWith([privateProc, tini], 'tini and a program without a handler for TERM', () => {
  it('ends at once with 143 what would have ignored TERM, which is documented and no reason to skip', async () => {
    const argv = [process.execPath, join(folder, 'no-handler.mjs')];
    expect(await survives(plain(argv))).toBe('heard anyone there?');
    expect(await stop(behindTini(argv))).toEqual({ said: [], code: 143 });
    expect(judgedPod({ command: argv })).toMatchObject({ action: 'tini', reason: 'argv-known' });
  });
});

/** Turns into a program that may not call setpgid(2), as a seccomp profile made for that program would have it. */
const underProfile = `
import ctypes, os, platform, struct, sys
number = {'x86_64': 109, 'aarch64': 154}[platform.machine()]
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
EPERM, ALLOW = 0x00050001, 0x7fff0000
steps = [(LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, EPERM), (RETURN, 0, 0, ALLOW)]
filter = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *step) for step in steps))
program = struct.pack('HP', len(steps), ctypes.addressof(filter))
libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
for words in [(PR_SET_NO_NEW_PRIVS, 1, 0), (PR_SET_SECCOMP, MODE_FILTER, ctypes.c_char_p(program))]:
    if libc.prctl(*words, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl')
os.execvp(sys.argv[1], sys.argv[1:])
`;

describeWith([privateProc, tini, program('python3', 'python3')], 'tini under a seccomp profile', () => {
  const profile = ['python3', '-c', underProfile];

  it('cannot start what runs there without it', async () => {
    expect(await stop(plain([...profile, 'server']))).toEqual({ said: ['cleaned up'], code: 0 });
    const behind = plain([...profile, tiniPath, '-s', '--', 'server'], {
      files: { [tiniPath]: findTini() ?? '' },
    });
    expect(await restOf(behind)).toEqual([]);
    expect(await behind.exit).toBe(1);
    expect(behind.stderr()).toContain('Operation not permitted');
  });

  it('is left alone by the engine where the profile is not known', () => {
    const seccompProfile = { type: 'Localhost', localhostProfile: 'profiles/server.json' };
    expectNoTini('localhost-profile', ['server'], { more: { securityContext: { seccompProfile } } });
  });
});
