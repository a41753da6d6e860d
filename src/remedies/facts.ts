import { argvOfImage, type ImageArgv } from '../config/config.ts';
import { initsThatReap, mustBePid1, type Pid1, pid1Of } from '../pid1.ts';
import { basename, type CommandLine, readCommandLine } from '../pod/command-line.ts';
import type { Container, Pod } from '../pod/pod.ts';
import type { Policy } from '../policy/policy.ts';
import { argvOf, type ContainerArgv } from './argv.ts';
import type { Injection } from './injection.ts';
import { pid1UseOf } from './pid1-use.ts';
import { securityOf } from './security.ts';

/**
 * What is known of a container, each fact on its own. Decisions test these, never the reason that is shown: a
 * container that is skipped for one reason may have a second property that forbids sharing.
 */
export interface ContainerFacts {
  readonly container: Container;
  readonly argv: ContainerArgv | null;
  readonly commandLine: CommandLine | null;
  /** What its command line would be as PID 1. */
  readonly pid1: Pid1;
  readonly skippedByAnnotation: boolean;
  readonly injected: boolean;
  readonly hasInit: boolean;
  readonly needsPid1: boolean;
  /** tini could not signal the program any more after one of them changed its user. */
  readonly changesUid: boolean;
  readonly looksAtPid1: boolean;
  readonly touchesPid1: boolean;
  readonly localhostProfile: boolean;
  readonly setsTiniEnv: boolean;
  /** A visible shell may stay the parent of the program, and has no trap for TERM. */
  readonly shellStays: boolean;
  /** The program is known, or will be the child of a shell that handles TERM. */
  readonly argvKnown: boolean;
  /** A field that decides about safety had the wrong type. */
  readonly unreadable: boolean;
}

const setuidPrograms = new Set(['sudo', 'su', 'doas']);

/**
 * Gathers the facts of one container.
 *
 * @param container The container.
 * @param pod Its pod.
 * @param policy What holds for the pod.
 * @param looked ENTRYPOINT and CMD of its image, where they were looked up.
 * @param injection What an earlier round injected into the pod, or null.
 */
export function factsOf(
  container: Container,
  pod: Pod,
  policy: Policy,
  looked: ImageArgv | undefined,
  injection: Injection | null,
): ContainerFacts {
  const argv = argvOf(container, imageArgvOf(container, policy, looked));
  const commandLine = argv && readCommandLine(argv.asExecuted);
  const security = securityOf(container, pod);
  const chainWords = (commandLine?.chain ?? []).flat().map(basename);
  const use = pid1UseOf([
    ...(argv ? [argv.asExecuted] : []),
    ...container.probes.map((probe) => probe.command),
    ...container.hooks.map((hook) => hook.command),
  ]);
  const shellMayStay = commandLine?.shell?.mayStay === true;
  return {
    container,
    argv,
    commandLine,
    pid1: argv ? pid1Of(argv.asExecuted) : 'unknown',
    skippedByAnnotation: policy.skipContainers.has(container.name),
    injected: injection?.wraps(container) ?? false,
    hasInit: chainWords.some((word) => initsThatReap.has(word)),
    needsPid1: argv !== null && mustBePid1(argv.asExecuted),
    changesUid:
      (security.maybeRoot && security.lacksKill) ||
      (security.maybeNonRoot && security.mayEscalate && chainWords.some((word) => setuidPrograms.has(word))),
    looksAtPid1: use.identity,
    touchesPid1: use.any,
    localhostProfile: security.localhostProfile,
    setsTiniEnv: (container.fields.env ?? []).some((variable) => variable.name.startsWith('TINI_')),
    shellStays: shellMayStay && commandLine?.shell?.trapsTerm !== true,
    argvKnown: commandLine !== null && (commandLine.program !== null || shellMayStay),
    unreadable: container.lost.some((at) => !/\/(liveness|readiness|startup)Probe\b/.test(at)),
  };
}

/** ENTRYPOINT and CMD of a container's image: the pod's annotation, else the configuration, else the look-up. */
export function imageArgvOf(
  container: Container,
  policy: Policy,
  looked: ImageArgv | undefined,
): ImageArgv | null {
  const { image } = container.fields;
  return (
    policy.argv.get(container.name) ?? (image ? argvOfImage(image, policy.config) : null) ?? looked ?? null
  );
}
