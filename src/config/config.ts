import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { imagesSchema } from './images.ts';

/** How bad a finding is. */
export type Severity = 'error' | 'warning' | 'info';

const name = z.string().min(1);
const seconds = z.number().positive();
/** Without a blank, which the API server refuses: every injected pod would be refused with it. */
const imageReference = z.string().regex(/^[a-zA-Z0-9][\w.\-/:@]*$/, 'is not an image reference');
const namespacePattern = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]*\*?$/,
    'is not the name of a namespace, nor the beginning of one with * behind it',
  );
const imageConfig = z.strictObject({
  entrypoint: z.array(z.string()).nullish(),
  cmd: z.array(z.string()).nullish(),
});

/** An image's ENTRYPOINT and CMD as its image config holds them; absent and empty mean the same. */
export type ImageArgv = z.infer<typeof imageConfig>;

/** The schema of an image's argv in the configuration file and in the pod's annotation. */
export const imageArgvSchema = imageConfig;

const ruleSettings = z.strictObject({
  /** `off` switches the rule off; a severity is the most that it reports. */
  severity: z.enum(['error', 'warning', 'info', 'off']).optional(),
  minPeriodSeconds: seconds.optional(),
  minTimeoutSeconds: seconds.optional(),
});

/** What a user may set for one rule. */
export type RuleSettings = z.infer<typeof ruleSettings>;

const configSchema = z.strictObject({
  apiVersion: z.literal('gravekeeper.dev/v1alpha1').optional(),
  kind: z.literal('Configuration').optional(),
  /** What holds in a namespace that opted in and lacks the label in question. */
  defaults: z
    .strictObject({
      probes: z.enum(['warn', 'deny', 'ignore']).default('warn'),
      dryRun: z.boolean().default(false),
    })
    .prefault({}),
  allowPodOptIn: z.boolean().default(true),
  /** An entry that ends in `*` stands for every name that starts so. */
  exemptNamespaces: z.array(namespacePattern).default([]),
  rules: z.record(z.string(), ruleSettings).default({}),
  tini: z
    .strictObject({
      image: imageReference.default('ghcr.io/gravekeeper/tini:0.1.0'),
      delivery: z.enum(['copier', 'image-volume']).default('copier'),
    })
    .prefault({}),
  /** ENTRYPOINT and CMD by image reference as pods write it; a key without tag or digest fits every tag. */
  argv: z.record(z.string(), imageConfig).default({}),
  /** Runtime classes under which pods may be changed; pods without a class always may. */
  allowedRuntimeClasses: z.array(name).default([]),
  /** Controllers that are safe to inject under auto, as `Kind.group`, such as `Rollout.argoproj.io`. */
  allowedControllers: z.array(name).default([]),
  /** Controllers whose pods auto leaves alone, although they are Kubernetes' own, as `Kind.group`. */
  excludedControllers: z.array(name).default([]),
  images: imagesSchema.prefault({}),
});

/** The cluster's configuration, every default filled in. */
export type Config = z.infer<typeof configSchema>;

/** Namespaces that are exempt whatever the configuration says: the cluster's own and Gravekeeper's. */
const alwaysExempt = ['kube-system', 'gravekeeper'];

/** The configuration of an empty file. */
export const defaultConfig: Config = withAlwaysExempt(configSchema.parse({}), []);

/** A problem of the configuration file: where, and what was expected there. */
export interface ConfigProblem {
  /** Path of the key, such as `rules.erlang-cli.severity`; empty for the file as a whole. */
  readonly path: string;
  /** Line in the file, counted from 1; null where it cannot be told. */
  readonly line: number | null;
  readonly message: string;
}

/** What the text of the file cannot say of itself. */
export interface ConfigContext {
  /** The ids that may stand under `rules`. */
  readonly ruleIds: readonly string[];
  /** Gravekeeper's own namespace, exempt always. */
  readonly ownNamespace?: string;
}

/**
 * Reads the configuration file.
 *
 * @param text YAML; an empty text is the default configuration.
 * @param context The known rules, and the namespace that Gravekeeper runs in.
 * @returns The configuration with every default filled in, or all problems that were found. It never throws.
 */
export function parseConfig(
  text: string,
  context: ConfigContext,
): { readonly config: Config } | { readonly problems: readonly ConfigProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    return {
      problems: document.errors.map((error) => ({
        path: '',
        line: error.linePos?.[0].line ?? null,
        message: `not valid YAML: ${error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '')}`,
      })),
    };
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    return { problems: [{ path: '', line: null, message: `not readable YAML: ${String(error)}` }] };
  }
  const lineOf = (path: readonly PropertyKey[]): number | null => {
    for (let length = path.length; length > 0; length -= 1) {
      const parent = document.getIn(path.slice(0, length - 1), true);
      if (!isMap(parent)) continue;
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === path[length - 1]);
      if (pair && isScalar(pair.key) && pair.key.range) return lines.linePos(pair.key.range[0]).line;
    }
    return null;
  };
  const outcome = configSchema.safeParse(value);
  const problems = (outcome.error?.issues ?? []).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => problemAt([...issue.path, key], 'is not a known key', lineOf))
      : [problemAt(issue.path, issue.message, lineOf)],
  );
  for (const id of Object.keys(outcome.data?.rules ?? {})) {
    if (!context.ruleIds.includes(id)) {
      problems.push(
        problemAt(['rules', id], `is not a rule; there are ${context.ruleIds.join(', ')}`, lineOf),
      );
    }
  }
  if (!outcome.success || problems.length > 0) return { problems };
  return { config: withAlwaysExempt(outcome.data, context.ownNamespace ? [context.ownNamespace] : []) };
}

function problemAt(
  path: readonly PropertyKey[],
  message: string,
  lineOf: (path: readonly PropertyKey[]) => number | null,
): ConfigProblem {
  return { path: path.map(String).join('.'), line: lineOf(path), message };
}

function withAlwaysExempt(config: Config, own: readonly string[]): Config {
  return { ...config, exemptNamespaces: [...new Set([...alwaysExempt, ...own, ...config.exemptNamespaces])] };
}

/**
 * Whether a namespace is exempt from everything.
 *
 * @param namespace Its name.
 * @param config The configuration; an entry that ends in `*` stands for every name that starts so.
 */
export function isExempt(namespace: string, config: Config): boolean {
  return config.exemptNamespaces.some((entry) =>
    entry.endsWith('*') ? namespace.startsWith(entry.slice(0, -1)) : entry === namespace,
  );
}

/**
 * Looks an image up in the configuration's static map.
 *
 * @param image The reference as the pod writes it.
 * @param config The configuration. A key with a tag or a digest must agree with the image's; one without fits
 *   every tag. `docker.io/` and `library/` may be left out on both sides.
 * @returns ENTRYPOINT and CMD, or null when the map does not name the image.
 */
export function argvOfImage(image: string, config: Config): ImageArgv | null {
  const known = Object.entries(config.argv);
  if (known.length === 0) return null;
  const digest = image.indexOf('@');
  const tagged = digest < 0 ? image : image.slice(0, digest);
  const colon = tagged.lastIndexOf(':');
  const untagged = colon > tagged.lastIndexOf('/') ? tagged.slice(0, colon) : tagged;
  const withDigest = digest < 0 ? image : untagged + image.slice(digest);
  const wanted = [image, withDigest, tagged, untagged].map(familiar);
  for (const reference of wanted) {
    for (const [key, argv] of known) {
      if (familiar(key) === reference) return argv;
    }
  }
  return null;
}

function familiar(reference: string): string {
  return reference.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '');
}
