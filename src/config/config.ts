import { z } from 'zod';

/** How bad a finding is. */
export type Severity = 'error' | 'warning' | 'info';

const severity = z.enum(['error', 'warning', 'info']);
const name = z.string().min(1);
const seconds = z.number().positive();
const imageConfig = z.strictObject({
  entrypoint: z.array(z.string()).optional(),
  cmd: z.array(z.string()).optional(),
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
  /** What holds in a namespace that opted in and lacks the label. */
  defaults: z
    .strictObject({
      probes: z.enum(['warn', 'deny', 'ignore']).default('warn'),
      dryRun: z.boolean().default(false),
    })
    .prefault({}),
  allowPodOptIn: z.boolean().default(true),
  exemptNamespaces: z.array(name).default([]),
  rules: z.record(z.string(), ruleSettings).default({}),
  tini: z
    .strictObject({
      image: name.default('ghcr.io/gravekeeper/tini:0.1.0'),
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
});

/** The cluster's configuration, every default filled in. */
export type Config = z.infer<typeof configSchema>;

/** The configuration of an empty file. */
export const defaultConfig: Config = configSchema.parse({});

/** A problem of the configuration file: where and what. */
export interface ConfigProblem {
  /** Path of the key, such as `rules.erlang-cli.severity`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

export const severitySchema = severity;
