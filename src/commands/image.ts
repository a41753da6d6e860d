import { Command, Option } from 'commander';
import { argvOfImage, type Config, type ImageArgv } from '../config/config.ts';
import { LookupFailure } from '../images/failure.ts';
import { createImageLookup } from '../images/image-lookup.ts';
import type { ImageDetails } from '../images/manifest.ts';
import type { PullSecret } from '../images/pull-secrets.ts';
import { parseReference, referenceText } from '../images/reference.ts';
import type { FoundImage } from '../images/registry.ts';
import { InputError } from '../input-error.ts';
import { judge } from '../judge.ts';
import { readPod } from '../pod/pod.ts';
import { labelKeys } from '../policy/keys.ts';
import { policyOf } from '../policy/policy.ts';
import { type Reason, reasons } from '../reasons.ts';
import type { RemedyKind } from '../remedies/remedy.ts';
import { escapeText, type Terminal, table, terminalOf } from '../terminal.ts';
import { configOf, credentialsOf } from './option-files.ts';

const help = `
Asks the image's registry, as the webhook does with --resolve-images, under the same configuration: which registries
are allowed, mirrors, certificates. No image is pulled. What auto would do is told for a pod of a Deployment that has
this one container and sets no command.

Examples:
  gravekeeper image redis
  gravekeeper image ghcr.io/team/app:1.2 --docker-config ~/.docker/config.json
  gravekeeper image registry.example:5000/app --config config.yaml --arch arm64 -o json

Exit codes: 0 done, 2 bad usage, or the image cannot be looked up.`;

interface Options {
  readonly config?: string;
  readonly arch?: string;
  readonly dockerConfig?: string;
  readonly output: 'table' | 'json';
}

/** The command `image`. */
export function imageCommand(): Command {
  return new Command('image')
    .description('Say what is known of an image’s command line, and what auto would do with it.')
    .argument('<reference>', 'the image as a pod names it, such as redis:7')
    .option('--config <file>', 'configuration, YAML, as of the webhook')
    .option('--arch <name>', 'architecture to choose of an index (default: that of the configuration)')
    .option('--docker-config <file>', 'credentials, as docker login and pull secrets keep them')
    .addOption(
      new Option('-o, --output <format>', 'how to print it').choices(['table', 'json']).default('table'),
    )
    .addHelpText('after', help)
    .action(async (image: string, options: Options) => {
      const known = await knownOf(
        image,
        configOf(options.config),
        credentialsOf(options.dockerConfig),
        options.arch ?? null,
      );
      const text =
        options.output === 'json'
          ? `${JSON.stringify({ schemaVersion: 1, ...known }, null, 2)}\n`
          : tableOf(known, terminalOf(process.stdout));
      process.stdout.write(text);
    });
}

/** What is known of an image. */
export interface KnownImage {
  /** With every default filled in. */
  readonly reference: string;
  /** Where ENTRYPOINT and CMD come from. */
  readonly source: 'registry' | 'configuration';
  /** Of the index or manifest; null where no registry was asked. */
  readonly digest: string | null;
  readonly platform: { readonly os: string; readonly architecture: string } | null;
  readonly user: string | null;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** What a container starts that sets neither command nor args. */
  readonly argv: readonly string[];
  /** What auto would do with such a container, in a pod of a Deployment. */
  readonly auto: { readonly remedy: RemedyKind | null; readonly reason: Reason; readonly message: string };
}

/**
 * Finds out what an image starts, and what would be done about it.
 *
 * @param image The reference as a pod holds it.
 * @param secrets Credentials.
 * @param architecture Null for that of the configuration.
 * @throws {InputError} if it cannot be looked up.
 */
export async function knownOf(
  image: string,
  config: Config,
  secrets: readonly PullSecret[],
  architecture: string | null,
): Promise<KnownImage> {
  const reference = parseReference(image);
  const configured = argvOfImage(image, config);
  const found = configured && reference ? null : await lookUp(image, config, secrets, architecture);
  const words = wordsOf(configured ?? found?.details ?? {});
  return {
    reference: reference ? referenceText(reference) : image,
    source: found ? 'registry' : 'configuration',
    digest: found?.digest ?? null,
    platform: found && { os: found.details.os, architecture: found.details.architecture },
    user: found?.details.user ?? null,
    ...words,
    argv: [...words.entrypoint, ...words.cmd],
    auto: autoFor(image, { ...words, ...(found ? { user: found.details.user } : {}) }, config),
  };
}

async function lookUp(
  image: string,
  config: Config,
  secrets: readonly PullSecret[],
  architecture: string | null,
): Promise<FoundImage> {
  const lookup = createImageLookup(config.images);
  try {
    return (await lookup.find(image, secrets, architecture)).image;
  } catch (error) {
    if (!(error instanceof LookupFailure)) throw error;
    throw new InputError(`${escapeText(image)} cannot be looked up (${error.failure}): ${error.message}`);
  } finally {
    lookup.close();
  }
}

/** ENTRYPOINT and CMD; an ENTRYPOINT of one empty word is none. */
function wordsOf({
  entrypoint,
  cmd,
}: ImageArgv | Pick<ImageDetails, 'entrypoint' | 'cmd'>): Pick<KnownImage, 'entrypoint' | 'cmd'> {
  const isNone = entrypoint?.length === 1 && entrypoint[0] === '';
  return { entrypoint: isNone ? [] : (entrypoint ?? []), cmd: cmd ?? [] };
}

function autoFor(
  image: string,
  { entrypoint, cmd, ...user }: Pick<KnownImage, 'entrypoint' | 'cmd'> & { readonly user?: string },
  config: Config,
): KnownImage['auto'] {
  const controller = { group: 'apps', kind: 'ReplicaSet', name: 'app' };
  const pod = readPod({ metadata: {}, spec: { containers: [{ name: 'app', image }] } }, { controller });
  const policy = policyOf(pod, {
    namespace: 'default',
    namespaceLabels: new Map([[labelKeys.inject, 'auto']]),
    config: { ...config, exemptNamespaces: [] },
  });
  const answers = new Map([['app', { entrypoint: [...entrypoint], cmd: [...cmd], ...user }]]);
  const { remedy } = judge(pod, policy, answers, 'nothing');
  const reason = remedy.containers[0]?.reason ?? remedy.reason;
  return { remedy: remedy.kind, reason, message: reasons[reason].sentence };
}

function tableOf(known: KnownImage, terminal: Terminal): string {
  const { platform, auto } = known;
  const words = (list: readonly string[]) => (list.length === 0 ? 'none' : escapeText(JSON.stringify(list)));
  const remedy = { tini: 'injects tini', 'share-pid': 'shares the PID namespace' };
  return table(
    [
      ['image', escapeText(known.reference)],
      ['from', known.source],
      ...(known.digest === null ? [] : [['digest', known.digest]]),
      ...(platform === null ? [] : [['platform', escapeText(`${platform.os}/${platform.architecture}`)]]),
      ...(known.user === null
        ? []
        : [['user', escapeText(known.user) || 'root, since the image names none']]),
      ['entrypoint', words(known.entrypoint)],
      ['cmd', words(known.cmd)],
      ['starts', words(known.argv)],
      [
        'auto',
        `${auto.remedy === null ? 'leaves it alone' : remedy[auto.remedy]} (${auto.reason}): ${auto.message}`,
      ],
    ],
    terminal,
  );
}
