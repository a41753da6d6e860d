import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcRoot } from '../proc/root.ts';
import type { OwnCgroup } from './own-cgroup.ts';
import type { Member } from './tree.ts';

/** What `$0` is in every shell of a maker; by it they are told from the programs that they turn into. */
const MARK = 'gravekeeper-emulate';

/**
 * What runs in the namespace. It turns into `cat`, which never waits for a child, and which ends when fd 3 is
 * closed, as it is when the process that holds its other end is gone. One shell stays beside it and makes the
 * batches that fd 4 asks for. The children of a batch block in `read` on fd 5, where each line lets one of them
 * go. That line comes once the shell that forked them, and might reap them, has ended or turned into `cat` too.
 */
const script = `
batch() {
  n=$1
  while [ "$n" -gt 0 ]; do read -r _ <&5 & n=$((n - 1)); done
}
serve() {
  echo ready >&4
  while read -r kind size <&4; do
    case $kind in
      orphans) ( batch "$size" ) && echo made >&4 ;;
      unreaped) ( batch "$size"; echo made >&4; exec cat <&3 ) & ;;
    esac
  done
  exec cat <&3
}
serve &
exec cat <&3
`;

/**
 * Runs the words that follow the two folders of a cgroup in that cgroup, and removes it when they have ended: this
 * shell stays outside, and outlives a command that is killed. A process that has just died may hold a cgroup for a
 * moment. What cannot be entered is left alone; /proc tells whether it was.
 */
const inCgroup = `
pids=$1 memory=$2
shift 2
(
  for folder in "$pids" "$memory"; do [ -z "$folder" ] || echo 0 > "$folder/cgroup.procs"; done 2>/dev/null
  exec "$@"
)
for folder in "$pids" "$memory"; do
  tries=5
  while [ -n "$folder" ] && [ -d "$folder" ] && ! rmdir "$folder" 2>/dev/null && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 1
  done
done
`;

/** The longest that any single step may take, in milliseconds. */
const DEADLINE_MS = 30_000;
const POLL_MS = 5;

/** The maker could not start or go on; the message is what its programs wrote to stderr. */
export class MakerError extends Error {}

/** A shell in a PID namespace of its own that makes batches of children, and the pipes that lead to it. */
export interface Maker {
  /** PID of the shell outside, the parent of `unshare`, which is the parent of the namespace's PID 1. */
  readonly pid: number;
  /** Resolves when the namespace and everything in it has ended. */
  readonly ended: Promise<void>;
  /** Asks for a batch, or for nothing. */
  tell(line: string): void;
  /**
   * Waits for the next answer.
   *
   * @throws {MakerError} if it ends, cannot fork or stays silent.
   */
  hear(): Promise<string>;
  /** Lets so many blocked children die. */
  release(children: number): void;
  /** Closes every pipe, so that the namespace ends. */
  close(): void;
}

/**
 * Starts a maker.
 *
 * @param init Words to put in front of it, which then become PID 1; empty for none.
 * @param cgroup What to run it in; null for the cgroup of this process.
 */
export function startMaker(init: readonly string[], cgroup: OwnCgroup | null): Maker {
  const unshare = ['unshare', '--user', '--map-root-user', '--pid', '--fork'];
  const folders = [cgroup?.pids ?? '', cgroup?.memory ?? ''];
  const child = spawn(
    'sh',
    ['-c', inCgroup, 'gravekeeper-cgroup', ...folders, ...unshare, ...init, 'sh', '-c', script, MARK],
    {
      // In a session of its own no Ctrl-C of the terminal reaches it: this process decides when it ends.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      // No TINI_* variable of the caller's, and messages in English, since they are read.
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    },
  );
  const [lifeline, commands, gate] = [pipeOf(child, 3), pipeOf(child, 4), pipeOf(child, 5)];
  const pipes = [lifeline, commands, gate];
  for (const pipe of pipes) {
    // The other end goes when the namespace does; `ended` tells, and there is nothing more to say of it.
    pipe.on('error', () => {});
  }
  lifeline.resume();
  gate.resume();

  let stderr = '';
  const cannotFork = Promise.withResolvers<never>();
  cannotFork.promise.catch(() => {});
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (/fork/i.test(stderr)) cannotFork.reject(new MakerError(stderr));
  });
  child.once('error', (error) => {
    stderr += error.message;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: commands })[Symbol.asyncIterator]();

  const nextLine = async (): Promise<string> => (await lines.next()).value ?? afterTheEnd();
  const afterTheEnd = async (): Promise<never> => {
    await ended;
    throw new MakerError(stderr || 'it ended without a word');
  };
  return {
    pid: child.pid ?? 0,
    ended,
    tell: (line) => void commands.write(`${line}\n`),
    hear: () => Promise.race([nextLine(), afterTheEnd(), cannotFork.promise, deadline('an answer')]),
    release: (children) => void gate.write('\n'.repeat(children)),
    close: () => {
      for (const pipe of pipes) pipe.destroy();
    },
  };
}

/** The processes of a tree that are shells of a maker, and have not turned into another program or died. */
export function makersIn(tree: readonly Member[], proc: ProcRoot): Member[] {
  return tree.filter(({ pid, state }) => {
    const words = state === 'Z' ? [] : (proc.commandLine(pid) ?? []);
    return words.length === 4 && words[3] === MARK;
  });
}

/**
 * Looks again and again until something is so.
 *
 * @throws {MakerError} if it is not after half a minute.
 */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!isSo()) {
    if (performance.now() > end) throw overdue(what);
    await delay(POLL_MS);
  }
}

async function deadline(what: string): Promise<never> {
  await delay(DEADLINE_MS, undefined, { ref: false });
  throw overdue(what);
}

function overdue(what: string): MakerError {
  return new MakerError(`${what} did not come within ${DEADLINE_MS / 1000} s`);
}

function pipeOf(child: ChildProcess, fd: number): Duplex {
  const pipe = child.stdio[fd];
  // Node makes a socket pair of every `pipe` above fd 2; its types know only one direction.
  if (!(pipe instanceof Duplex)) throw new TypeError(`fd ${fd} of the child is no pipe`);
  return pipe;
}
