import { pid1Of } from '../pid1.ts';
import { basename } from '../pod/basename.ts';
import type { Kind } from './kind.ts';
import type { PodFacts } from './pod-facts.ts';
import type { ProbeInStep } from './report.ts';

/** What is known of the parent of a group of zombies, as far as advice goes. */
export interface ParentFacts {
  readonly pid: number;
  readonly comm: string;
  /** Null where it cannot be read. */
  readonly argv: readonly string[] | null;
  /** The letter of its state: `T` is stopped. */
  readonly state: string;
  readonly isPause: boolean;
  /** Whether it is PID 1 of a namespace that a program made inside of a container. */
  readonly isNested: boolean;
  /** Whether it has neither a handler for SIGCHLD nor waits in the kernel for a child; null where that is not known. */
  readonly ignoresChildren: boolean | null;
}

/** What advice rests on; null where it is not known. */
export interface Case {
  readonly kind: Kind;
  readonly parent: ParentFacts | null;
  readonly pod: PodFacts | null;
  /** Whether the zombies are in a pod, although its name may not be known. */
  readonly inPod: boolean;
  readonly container: string | null;
  readonly probe: ProbeInStep | null;
  /** How many parents they have; more than one only where there are too many groups to tell apart. */
  readonly parents: number;
}

/**
 * Says what keeps zombies, and what ends them.
 *
 * @returns One or more sentences, for whoever can do it.
 */
export function adviceFor(zombies: Case): string {
  const { kind, parent } = zombies;
  const stopped =
    parent !== null && /^[Tt]$/.test(parent.state)
      ? `${nameOf(parent)} is stopped (state ${parent.state}): let it go on, or end it.`
      : null;
  const sentences = {
    orphan: () => (kind.fixableBy === 'runtime' ? hostPidAdvice() : orphanAdvice(zombies)),
    'unreaped-child': () => unreapedChildAdvice(zombies),
    runtime: () => runtimeAdvice(zombies),
  }[kind.kind];
  return [stopped ?? sentences(), probeAdvice(zombies)].filter(Boolean).join(' ');
}

function orphanAdvice(zombies: Case): string {
  const { parent, pod, inPod, kind } = zombies;
  if (parent === null) return hiddenParentAdvice(zombies);
  if (parent.isPause) {
    return (
      `PID 1 is the pause of the node (PID ${parent.pid}), which does not reap: those who run the nodes should replace the ` +
      `sandbox image of the container runtime by registry.k8s.io/pause 3.1 or later. Until then share-pid does not ` +
      `help; gravekeeper.dev/inject=tini does.`
    );
  }
  const who =
    parent.pid === 1
      ? `PID 1 of this machine, ${parent.comm},`
      : `PID 1 of its namespace, ${nameOf(parent)},`;
  const doubt = kind.certain
    ? ''
    : ' If it started them itself, they are its own unreaped children, and only the program can be mended.';
  const verdict = pid1Of(parent.argv);
  if (verdict === 'reaps') {
    return (
      `${who} is one that reaps what it adopts, yet these stay: it is stuck, or they are children of its own that it ` +
      `forgot. Restart it, and look into why.`
    );
  }
  if (parent.isNested) {
    return (
      `${who} adopted them and has not waited for them. That namespace was made inside of the container, where no label ` +
      `reaches: the program that makes it has to start an init in it.`
    );
  }
  const fault =
    verdict === 'leaks' || parent.ignoresChildren === true
      ? `${who} adopted them and never waits.`
      : `${who} adopted them and has not waited for them.`;
  return `${fault} ${initAdvice(pod, inPod, parent.pid)}${doubt}`;
}

function hiddenParentAdvice({ parents }: Case): string {
  if (parents > 1) {
    return (
      `They have ${parents} parents, each of which lives or adopted them, and does not wait: too many to list one by ` +
      `one. Look at the processes of this container, and mend the program that starts them.`
    );
  }
  return 'Their parent has just ended, or is not visible from here: the next look may tell who it is.';
}

function initAdvice(pod: PodFacts | null, inPod: boolean, pid1: number): string {
  if (pid1 === 1) return 'Nothing but a better init there helps.';
  if (!inPod) return 'Put an init that reaps in front of it, such as tini (docker run --init).';
  if (pod?.injected?.remedy === 'tini')
    return 'This container did not get the tini of its pod: see gravekeeper.dev/status.';
  const where = pod === null || pod.owner.startsWith('Pod/') ? 'its pod' : `the pod template of ${pod.owner}`;
  return (
    `It needs an init: label ${where} or its namespace gravekeeper.dev/inject=auto and let the pods be made anew, or ` +
    `put tini in front of its command.`
  );
}

function unreapedChildAdvice(zombies: Case): string {
  const { parent, pod } = zombies;
  if (parent === null) return hiddenParentAdvice(zombies);
  const injected = pod?.injected ? ` The ${pod.injected.remedy} that was injected cannot help either.` : '';
  return (
    `Their parent ${nameOf(parent)} lives and never waits for them, so no init can reap them.${injected} Mend that ` +
    `program: it has to wait() for its children, or to ignore SIGCHLD. Until then a restart of it frees them.`
  );
}

function runtimeAdvice({ parent }: Case): string {
  if (parent === null) {
    return 'Their parent is outside of the processes that are visible here: look from the node itself.';
  }
  return (
    `Their parent ${nameOf(parent)} is the container runtime, which has not waited for them. No change to a pod helps: ` +
    `upgrade or restart the runtime, and report it to those who make it.`
  );
}

function hostPidAdvice(): string {
  return (
    `The pod shares the PID namespace of the node (hostPID), where the shim of the container runtime adopts what its ` +
    `processes leave behind, and does not wait. An init in the pod does not help: take hostPID away, or upgrade the ` +
    `runtime.`
  );
}

function probeAdvice({ probe, container }: Case): string {
  if (probe === null) return '';
  const { kind, command, periodSeconds, zombiesPerRun } = probe;
  const of = container === probe.container ? '' : ` of container ${probe.container}`;
  const words = command.join(' ');
  const shown = words.length > 60 ? `${words.slice(0, 59)}…` : words;
  return (
    `They keep step with the ${kind} probe${of} (${shown}), which runs every ${periodSeconds} s and leaves ` +
    `${zombiesPerRun} each time.`
  );
}

/** What the interpreters run: a plain path, no text of a script and no value of an option, which may hold a secret. */
const scriptPath = /^[\w./+-]{1,128}\.(py|js|mjs|cjs|pl|rb|php|sh|bash|jar)$/;
const interpreter = /^(python[\d.]*|node|nodejs|perl|ruby|php|sh|bash|dash|java)$/;

function nameOf({ pid, comm, argv }: ParentFacts): string {
  // An interpreter's name says little; the script right behind it is what people know.
  const [program = '', ...words] = argv ?? [];
  const first = words.find((word) => word !== '-jar' && !/^-[uBEOs]$/.test(word)) ?? '';
  const isScript = interpreter.test(basename(program)) && scriptPath.test(first);
  return isScript ? `${comm} ${basename(first)} (PID ${pid})` : `${comm} (PID ${pid})`;
}
