/** How the visible commands of a container relate to PID 1 of its PID namespace. */
export interface Pid1Use {
  /** They look at who PID 1 is; under tini and in a shared namespace that is somebody else. */
  readonly identity: boolean;
  /** They signal or read PID 1 in any way; in a shared namespace that is pause. */
  readonly any: boolean;
}

/** No separator of shell commands: what follows still belongs to the same command. */
const sameCommand = '[^;|&\\n]*?';

const identity = [
  String.raw`\bnsenter\b${sameCommand}\s(-t\s*|--target[=\s])1(?!\d)`,
  String.raw`\b(jcmd|jstack|jmap|jinfo|jstat)\b${sameCommand}\s1(?!\d)`,
  String.raw`\bps\b${sameCommand}\s(-?p\s*|--pid[=\s]|-q\s*)1(?!\d)`,
  String.raw`/proc/1/(comm|cmdline|exe|stat|status)\b`,
  String.raw`["']?\$\$["']?\s+(=|==|!=|-eq|-ne|-gt|-le)\s+["']?1(?!\d)`,
  String.raw`(^|[\s["'])1["']?\s+(=|==|!=|-eq|-ne)\s+["']?\$\$`,
].map((source) => new RegExp(source));

const signalsOrReads = [
  String.raw`\bkill\b${sameCommand}\s1(?!\d)`,
  String.raw`/proc/1(?!\d)`,
  String.raw`\b(strace|gdb|py-spy|pkill|gcore)\b${sameCommand}\s(-[pP]\s*|--pid[=\s])1(?!\d)`,
].map((source) => new RegExp(source));

/**
 * Looks for uses of PID 1 in command lines.
 *
 * @param commandLines The words of commands, hooks and probes as executed.
 */
export function pid1UseOf(commandLines: readonly (readonly string[])[]): Pid1Use {
  const texts = commandLines.map((words) => words.join(' '));
  const some = (patterns: readonly RegExp[]) =>
    texts.some((text) => patterns.some((pattern) => pattern.test(text)));
  const byIdentity = some(identity);
  return { identity: byIdentity, any: byIdentity || some(signalsOrReads) };
}
