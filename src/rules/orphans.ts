import type { CommandLine, Invocation } from '../pod/command-line.ts';

/** Programs that detach what they start, so that no `wait` of a shell can reach it. */
const detaching = new Set(['setsid', 'daemon', 'daemonize', 'start-stop-daemon']);

/** The programs that every run of a command line leaves behind in the background. */
export function leftBehind({ invocations }: CommandLine): readonly Invocation[] {
  const lastWait = lastWaitOf(invocations);
  return invocations.filter(
    (invocation, index) => invocation.background && !isWaitedFor(invocation, index, lastWait),
  );
}

/** The processes that a shell starts and waits for: they are orphaned if it is killed meanwhile. */
export function childrenOfShell({ invocations }: CommandLine): readonly Invocation[] {
  const lastWait = lastWaitOf(invocations);
  return invocations.filter(
    (invocation, index) =>
      invocation.childOfShell && (!invocation.background || isWaitedFor(invocation, index, lastWait)),
  );
}

/** Where a script waits for its background jobs for the last time; -1 where it does not. */
function lastWaitOf(invocations: readonly Invocation[]): number {
  return invocations.findLastIndex(({ argv, background }) => argv[0] === 'wait' && !background);
}

function isWaitedFor({ wrappers }: Invocation, index: number, lastWait: number): boolean {
  return index < lastWait && !wrappers.some(({ name }) => detaching.has(name));
}
