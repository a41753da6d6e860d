import type { CommandLine, Invocation } from '../pod/command-line.ts';

/** Programs that detach what they start, so that no `wait` of a shell can reach it. */
const detaching = new Set(['setsid', 'daemon', 'daemonize', 'start-stop-daemon']);

/** The programs that every run of a command line leaves behind in the background. */
export function leftBehind(command: CommandLine): readonly Invocation[] {
  return command.invocations.filter(
    (invocation, index) =>
      invocation.background && !isWaitedFor(invocation, command.invocations.slice(index)),
  );
}

/** The processes that a shell starts and waits for: they are orphaned if it is killed meanwhile. */
export function childrenOfShell(command: CommandLine): readonly Invocation[] {
  return command.invocations.filter(
    (invocation, index) =>
      invocation.childOfShell &&
      (!invocation.background || isWaitedFor(invocation, command.invocations.slice(index))),
  );
}

/** Whether a `wait` further down the script waits for a background job. */
function isWaitedFor(invocation: Invocation, following: readonly Invocation[]): boolean {
  if (invocation.wrappers.some(({ name }) => detaching.has(name))) return false;
  return following.some(({ argv, background }) => argv[0] === 'wait' && !background);
}
