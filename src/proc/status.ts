/** What `/proc/PID/status` says of a process beyond its `stat`. */
export interface ProcessStatus {
  /** One letter. */
  readonly state: string;
  readonly threads: number;
  /** Who traces it; 0 for nobody. */
  readonly tracerPid: number;
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
  const fields = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(/^(\w+):[ \t]*(.*)$/gm)) {
    if (!fields.has(name)) fields.set(name, value);
  }
  const state = /^[A-Za-z]/.exec(fields.get('State') ?? '')?.[0];
  const threads = wholeNumber(fields.get('Threads'));
  const tracerPid = wholeNumber(fields.get('TracerPid'));
  const uid = wholeNumber(fields.get('Uid')?.split(/\s+/)[1]);
  const [caught, ignored, blocked, own, shared] = ['SigCgt', 'SigIgn', 'SigBlk', 'SigPnd', 'ShdPnd'].map(
    (mask) => hasSigchld(fields.get(mask)),
  );
  if (state === undefined || threads === null || tracerPid === null || uid === null) return null;
  if (caught == null || ignored == null || blocked == null || own == null || shared == null) return null;
  const nspid = (fields.get('NSpid') ?? '').split(/\s+/).flatMap((pid) => wholeNumber(pid) ?? []);
  return {
    state,
    threads,
    tracerPid,
    nspid,
    uid,
    sigchld: { caught, ignored, blocked, pending: own || shared },
  };
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function hasSigchld(mask: string | undefined): boolean | null {
  if (mask === undefined || !/^[0-9a-f]{8,32}$/.test(mask)) return null;
  return (Number.parseInt(mask.slice(-8), 16) & SIGCHLD_BIT) !== 0;
}
