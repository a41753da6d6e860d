/** What `/proc/PID/status` says of a process beyond its `stat`. */
export interface ProcessStatus {
  /** One letter. */
  readonly state: string;
  readonly threads: number;
  /** Its PID in each namespace, from that of this /proc down to its own; empty where the kernel does not say. */
  readonly nspid: readonly number[];
  /** Its effective user ID. */
  readonly uid: number;
  /** How it treats the death of its children. */
  readonly sigchld: {
    /** It has a handler. */
    readonly caught: boolean;
    /** It ignores the signal, which makes the kernel reap. */
    readonly ignored: boolean;
    /** It blocks the signal, as one does that waits with sigwait or signalfd. */
    readonly blocked: boolean;
    /** One has come that it has not attended to. */
    readonly pending: boolean;
  };
}

/** Signal 17, as the last eight hexadecimal digits of a mask hold it. */
const SIGCHLD_BIT = 1 << 16;

/**
 * Reads `/proc/PID/status`. The kernel escapes newlines in the name there, so no name can forge a line.
 *
 * @returns What it says, or null where a line is missing that every kernel writes. `NSpid` came with Linux 4.1.
 */
export function parseStatus(text: string): ProcessStatus | null {
  const state = /^[A-Za-z]/.exec(fieldOf('State', text) ?? '')?.[0];
  const threads = wholeNumber(fieldOf('Threads', text));
  const uid = wholeNumber(fieldOf('Uid', text)?.split(/\s+/)[1]);
  const caught = hasSigchld(fieldOf('SigCgt', text));
  const ignored = hasSigchld(fieldOf('SigIgn', text));
  const blocked = hasSigchld(fieldOf('SigBlk', text));
  const own = hasSigchld(fieldOf('SigPnd', text));
  const shared = hasSigchld(fieldOf('ShdPnd', text));
  if (state === undefined || threads === null || uid === null) return null;
  if (caught === null || ignored === null || blocked === null || own === null || shared === null) return null;
  const nspid = (fieldOf('NSpid', text) ?? '').split(/\s+/).flatMap((pid) => wholeNumber(pid) ?? []);
  return {
    state,
    threads,
    nspid,
    uid,
    sigchld: { caught, ignored, blocked, pending: own || shared },
  };
}

/** What follows a name at the start of a line; cheaper than all lines at once, for thousands of zombies. */
function fieldOf(name: string, text: string): string | undefined {
  const start = text.indexOf(`\n${name}:`);
  if (start < 0) return undefined;
  const end = text.indexOf('\n', start + 1);
  return text.slice(start + name.length + 2, end < 0 ? undefined : end).trim();
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function hasSigchld(mask: string | undefined): boolean | null {
  if (mask === undefined || !/^[0-9a-f]{8,32}$/.test(mask)) return null;
  return (Number.parseInt(mask.slice(-8), 16) & SIGCHLD_BIT) !== 0;
}
