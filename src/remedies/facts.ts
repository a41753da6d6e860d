import { argvOfImage, type ImageArgv } from '../config/config.ts';
import { initsThatReap, mustBePid1, type Pid1, pid1OfLine } from '../pid1.ts';
import { basename, type CommandLine, readCommandLine } from '../pod/command-line.ts';
import type { Container, Pod } from '../pod/pod.ts';
import { probeWords } from '../pod/probe-words.ts';
import type { Policy } from '../policy/policy.ts';
import { argvOf, type ContainerArgv } from './argv.ts';
import { type ImageAnswer, imageUserOf } from './image-answer.ts';
import type { Injection } from './injection.ts';
import { isKeptByTini, pid1UseOf } from './pid1-use.ts';
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
  /** Whether it could depends on the user that the image names, and it is not known whether that is root. */
  readonly imageUserDecides: boolean;
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

const setuidPrograms: ReadonlySet<string> = new Set(['sudo', 'su', 'doas']);
const namesSetuidProgram = new RegExp(`\\b(?:${[...setuidPrograms].join('|')})\\b`);
const userChangers: ReadonlySet<string> = new Set([
  ...setuidPrograms,
  ...['gosu', 'su-exec', 'runuser', 'setpriv', 'chpst', 'setuidgid', 's6-setuidgid', 'setuser'],
]);

/**
 * Gathers the facts of one container.
 *
 * @param container The container.
 * @param pod Its pod.
 * @param policy What holds for the pod.
 * @param looked What is known of its image, where that was looked up.
 * @param injection What an earlier round injected into the pod, or null.
 */
export function factsOf(
  container: Container,
  pod: Pod,
  policy: Policy,
  looked: ImageAnswer | undefined,
  injection: Injection | null,
): ContainerFacts {
  const argv = argvOf(container, imageArgvOf(container, policy, looked));
  const commandLine = argv && readCommandLine(argv.asExecuted);
  const security = securityOf(container, pod, imageUserOf(looked?.user));
  const line = commandLine && lineFactsOf(commandLine);
  const use = pid1UseOf([
    argv?.asExecuted ?? container.fields.args ?? [],
    ...container.probes.map((probe) => probeWords(container, probe)),
    ...container.hooks.map((hook) => hook.command),
  ]);
  const stopSignal = container.fields.lifecycle?.stopSignal;
  const asRoot = security.lacksKill;
  const asAnother = security.mayEscalate && line?.hasSetuid === true;
  const shellMayStay = commandLine?.shell?.mayStay === true;
  return {
    container,
    argv,
    commandLine,
    pid1: line?.pid1 ?? 'unknown',
    skippedByAnnotation: policy.skipContainers.has(container.name),
    injected: injection?.wraps(container) ?? false,
    hasInit: line?.hasInit ?? false,
    needsPid1: line?.needsPid1 ?? false,
    changesUid: (security.maybeRoot && asRoot) || (security.maybeNonRoot && asAnother),
    imageUserDecides: security.maybeRoot && security.maybeNonRoot && asRoot !== asAnother,
    looksAtPid1:
      use.identity ||
      (use.files && line?.changesUser === true) ||
      (stopSignal ? isKeptByTini(stopSignal) : false),
    touchesPid1: use.any,
    localhostProfile: security.localhostProfile,
    setsTiniEnv: (container.fields.env ?? []).some((variable) => variable.name.startsWith('TINI_')),
    shellStays: shellMayStay && commandLine?.shell?.trapsTerm !== true,
    argvKnown: commandLine !== null && (commandLine.program !== null || shellMayStay),
    unreadable: container.lost.some((at) => !/\/(liveness|readiness|startup)Probe\b/.test(at)),
  };
}

/** The facts of the containers that keep running, in the order of the decisions on them. */
export function longRunningFacts(facts: readonly ContainerFacts[]): readonly ContainerFacts[] {
  return facts.filter(({ container }) => container.role !== 'init');
}

/** What a command line tells by itself. */
interface LineFacts {
  readonly pid1: Pid1;
  readonly needsPid1: boolean;
  readonly hasInit: boolean;
  readonly hasSetuid: boolean;
  readonly changesUser: boolean;
}

/** Command lines that come again are the same object each time. */
const knownLines = new WeakMap<CommandLine, LineFacts>();

function lineFactsOf(line: CommandLine): LineFacts {
  const known = knownLines.get(line);
  if (known) return known;
  const programs = programsOnTheWay(line);
  const includesAny = (wanted: ReadonlySet<string>) => programs.some((program) => wanted.has(program));
  const facts: LineFacts = {
    pid1: pid1OfLine(line),
    needsPid1: mustBePid1(line),
    hasInit: includesAny(initsThatReap),
    hasSetuid: includesAny(setuidPrograms),
    changesUser: includesAny(userChangers),
  };
  knownLines.set(line, facts);
  return facts;
}

/**
 * The basenames of the programs that a container's process is on its way to its last one. Of the last one's own
 * arguments only those count that look like a program to start: the first one, where it is a bare name or stands in
 * a folder of programs, and the one before `--`.
 */
function programsOnTheWay({ chain, invocations }: CommandLine): readonly string[] {
  const last = chain.at(-1) ?? [];
  const argument = last[1] ?? '';
  const started = invocations.filter(({ childOfShell, background }) => !childOfShell && !background);
  return [
    ...chain.map(([program = '']) => program),
    ...started.map(({ program }) => program),
    ...started.flatMap(({ wrappers }) => wrappers.map(({ name }) => name)),
    ...(/^(\/|\/(usr\/)?(local\/)?s?bin\/)?[\w-]+$/.test(argument) ? [argument] : []),
    last[last.indexOf('--') - 1] ?? '',
  ].map(basename);
}

/**
 * Whether the facts of a container whose command is known may depend on the user that its image names. Cheap: it may be
 * wrong, but only where it says so.
 */
export function mayDependOnImageUser(container: Container, pod: Pod): boolean {
  const { maybeRoot, maybeNonRoot, lacksKill, mayEscalate } = securityOf(container, pod, 'unknown');
  if (!maybeRoot || !maybeNonRoot) return false;
  const { command, args } = container.fields;
  const words = [...(command ?? []), ...(args ?? [])];
  return lacksKill || (mayEscalate && words.some((word) => namesSetuidProgram.test(word)));
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
