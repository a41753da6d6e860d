/**
 * Every reason code, with the one sentence that explains it. A code is an API: it stands in warnings, audit
 * annotations, logs, metrics, reports and docs/reasons.md, and is never renamed.
 *
 * `silent` marks the outcomes that ask nothing of the author of a pod, so kubectl shows no warning for them.
 */
const entries = {
  'not-opted-in': {
    silent: true,
    sentence: 'Neither the namespace nor the pod carries the label gravekeeper.dev/inject.',
  },
  'opted-out': { silent: true, sentence: 'The label gravekeeper.dev/inject is "none".' },
  'exempt-namespace': {
    silent: true,
    sentence: 'The namespace is exempt by configuration, which beats every label.',
  },
  'pod-opt-in-forbidden': {
    silent: false,
    sentence: 'The pod asks for injection by its own label, which the administrator has forbidden.',
    short: 'pods may not opt in by their own label here; label the namespace',
  },
  'mirror-pod': {
    silent: true,
    sentence:
      'A mirror pod only reflects a static pod that the kubelet already runs; changing it changes nothing.',
  },
  windows: {
    silent: false,
    sentence: 'Windows has no zombie processes and runs no tini.',
    short: 'left alone: a Windows pod',
  },
  'foreign-controller': {
    silent: false,
    sentence:
      'The pod belongs to a controller that may compare pods with its template and would recreate it for ever.',
    short: 'left alone: its controller may compare pods; see allowedControllers',
  },
  'host-pid': {
    silent: false,
    sentence:
      'The pod uses the PID namespace of the host, where the container runtime adopts and reaps its orphans.',
    short: 'left alone: in the PID namespace of the host the runtime reaps',
  },
  'sidecar-arrived': {
    silent: false,
    sentence:
      'A second container joined the pod after its PID namespace was shared, so the sharing was taken back.',
    short: 'a second container came, so PID sharing was taken back',
  },
  'already-shared': {
    silent: true,
    sentence: 'The pod already shares one PID namespace, so pause reaps for it.',
  },
  'runtime-class': {
    silent: false,
    sentence:
      'The runtime class is not configured as safe: sandboxed runtimes manage processes in their own way.',
    short: 'left alone: its runtime class is not in allowedRuntimeClasses',
  },
  'needs-pid-1': {
    silent: false,
    sentence: 'The container starts an init that refuses to run as anything but PID 1.',
    short: 'left alone: it starts an init that must be PID 1',
  },
  'skip-container': {
    silent: true,
    sentence: 'The annotation gravekeeper.dev/skip-containers names the container.',
  },
  'already-injected': { silent: true, sentence: 'Gravekeeper has already put tini in front of the command.' },
  'already-init': {
    silent: true,
    sentence: 'The command already starts an init that reaps, such as tini or dumb-init.',
  },
  'pid1-reaps': {
    silent: true,
    sentence: 'The program reaps adopted children itself when it runs as PID 1.',
  },
  'uid-change': {
    silent: false,
    sentence:
      'The command may change its user ID in a way that would leave tini without permission to signal it.',
    short: 'left alone: it may change user; add the capability KILL',
  },
  'uses-pid-1': {
    silent: false,
    sentence: 'A hook, probe or argument relies on the program being PID 1, which it would no longer be.',
    short: 'a hook, probe or argument relies on it being PID 1',
  },
  'localhost-profile': {
    silent: false,
    sentence: 'A Localhost seccomp or AppArmor profile, whose content is not visible here, may forbid tini.',
    short: 'left alone: its Localhost profile may forbid tini',
  },
  'tini-env': {
    silent: false,
    sentence:
      'The container sets TINI_* variables of its own, which would change how the injected tini behaves.',
    short: 'left alone: its TINI_* variables would change tini',
  },
  'shell-not-exec': {
    silent: false,
    sentence:
      'A shell may stay the parent of the program: tini would signal the shell, which dies at once and takes the program with it. Write exec before the last command.',
    short: 'a shell would not pass TERM on; write exec before the last command',
  },
  'argv-unknown': {
    silent: false,
    sentence: 'The command line is not known: the pod sets no command and the image was not looked up.',
    short: 'left alone: set its command, or annotate gravekeeper.dev/argv',
  },
  'argv-known': { silent: true, sentence: 'The command line is known and nothing speaks against tini.' },
  'bare-pod': {
    silent: false,
    sentence:
      'A pod without a controller could not be re-applied with a changed command; its PID namespace is shared instead, where that is safe.',
    short: 'a pod without a controller cannot be re-applied once wrapped',
  },
  'chosen-by-label': { silent: true, sentence: 'The label gravekeeper.dev/inject names this remedy.' },
  'sharing-refused': {
    silent: false,
    sentence: 'The pod says shareProcessNamespace: false, which auto respects.',
    short: 'left alone: the pod says shareProcessNamespace: false',
  },
  'shares-secrets': {
    silent: false,
    sentence:
      'In a shared PID namespace each container can read the environment and the files of the others.',
    short: "containers can now read one another's environment and files",
  },
  'per-container': { silent: true, sentence: 'The containers differ; each carries a reason of its own.' },
  'patch-unsafe': {
    silent: false,
    sentence:
      'The patch would not have applied cleanly or would have clashed with a name or a mount of the pod.',
    short: 'left alone: no free mount path, or a name would clash',
  },
  unjudgeable: {
    silent: false,
    sentence: 'Part of the object could not be read; what depends on it was left unchanged.',
    short: 'part of it could not be read and was left unchanged',
  },
  'invalid-label': {
    silent: false,
    sentence: 'A label of Gravekeeper has a value that it does not know; the more careful meaning was taken.',
    short: 'a label has an unknown value; the careful meaning was taken',
  },
  'malformed-annotation': {
    silent: false,
    sentence: 'An annotation of Gravekeeper could not be read and was ignored.',
    short: 'an annotation could not be read and was ignored',
  },
  'dry-run': {
    silent: false,
    sentence: 'Dry run: this is what would have been done; nothing was changed or refused.',
    short: 'nothing was changed or refused',
  },
} as const satisfies Record<string, ReasonEntry>;

/** What is known of a reason code. */
export interface ReasonEntry {
  /** One sentence for people; it never contains data of a pod. */
  readonly sentence: string;
  /** Whether kubectl stays quiet about it. */
  readonly silent: boolean;
  /** The same in at most 70 characters, for a warning, and what to do where there is something to do. */
  readonly short?: string;
}

/** A stable kebab-case code that explains a decision. */
export type Reason = keyof typeof entries;

/** Every reason code with its entry, in the order in which the documentation lists them. */
export const reasons: Readonly<Record<Reason, ReasonEntry>> = entries;

/** All codes, in the order of the documentation. */
export const reasonCodes = Object.keys(entries) as readonly Reason[];

/** The page and heading of the documentation that explains a reason, relative to the repository's root. */
export function pageOf(reason: Reason): string {
  return `docs/reasons.md#${reason}`;
}
