import * as z from 'zod';

const host = /^(?:(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[a-f0-9:]+\])(?::\d{1,5})?$/;
const hostName = z.string().regex(host, 'is not a host, such as registry.example:5000 or *.example');
const pem = z
  .string()
  .regex(
    /^\s*(?:-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/,
    'is not a certificate in PEM',
  );

const hostSettings = z.strictObject({
  /** Its address may be a private, loopback or link-local one. */
  privateAddress: z.boolean().default(false),
  /** It is spoken to over plain HTTP. */
  plainHttp: z.boolean().default(false),
  /** Whatever certificate it shows is taken. */
  skipTlsVerify: z.boolean().default(false),
  /** Certificates to trust for it, besides the public ones. */
  ca: pem.optional(),
  /** Other hosts that may be sent its credentials, in exchange for a token. */
  tokenHosts: z.array(hostName).default([]),
});

/** What is allowed with one host that image look-ups talk to, be it a registry or not. */
export type HostSettings = z.infer<typeof hostSettings>;

/** What holds for a host that the configuration does not name. */
const defaultHostSettings: HostSettings = hostSettings.parse({});

/** Registries that anybody can publish to or pull from, and that are run by somebody known. */
const publicRegistries = [
  'docker.io',
  'ghcr.io',
  'quay.io',
  'registry.k8s.io',
  'gcr.io',
  '*.gcr.io',
  '*.pkg.dev',
  'public.ecr.aws',
  'mcr.microsoft.com',
  'registry.gitlab.com',
  'registry.access.redhat.com',
  'registry.redhat.io',
  'registry.connect.redhat.com',
  'nvcr.io',
  'cgr.dev',
  'docker.elastic.co',
  'lscr.io',
  'container-registry.oracle.com',
  'registry.suse.com',
  'icr.io',
  '*.icr.io',
];

/** How ENTRYPOINT and CMD of images are looked up. */
export const imagesSchema = z.strictObject({
  /** Hosts that images may come from; `*.` stands for one or more labels, `*` for every host with a name. */
  registries: z.array(z.union([z.literal('*'), hostName])).default(publicRegistries),
  hosts: z.record(hostName, hostSettings).default({}),
  /** Where a registry, or one with the beginning of a path, is asked instead. */
  mirrors: z
    .record(
      z.string().regex(/^[a-z0-9[][\w.:[\]-]*(?:\/[\w./-]+)?$/, 'is not a registry'),
      z
        .string()
        .regex(/^[a-z0-9[][\w.:[\]-]*(?:\/[a-z0-9][\w./-]*)?$/, 'is not a registry with or without a path'),
    )
    .default({}),
  /** Certificates to trust for every host, besides the public ones. */
  ca: pem.optional(),
  /** Architecture of nodes, where a pod does not say on which it runs. */
  architecture: z
    .string()
    .regex(/^[a-z0-9]+$/)
    .default('amd64'),
  /** The longest that a pod waits for all look-ups of its containers. */
  deadlineSeconds: z.number().positive().max(2.5).default(1.5),
  cache: z
    .strictObject({
      /** How long a tag is taken to stand for the same image. */
      tagSeconds: z.number().min(0).max(3600).default(60),
      /** How long a failure is remembered. */
      failureSeconds: z.number().min(0).max(3600).default(30),
      /** Bytes, about. */
      maxBytes: z
        .number()
        .int()
        .positive()
        .default(16 * 1024 * 1024),
    })
    .prefault({}),
});

/** How images are looked up, every default filled in. */
export type ImagesConfig = z.infer<typeof imagesSchema>;

/** The configuration of look-ups where the file says nothing of them. */
export const defaultImagesConfig: ImagesConfig = imagesSchema.parse({});

/**
 * Whether a host is one of those that patterns stand for.
 *
 * @param host As in a URL or a reference, with its port unless that is the usual one.
 * @param patterns Names with ports; `*.example` stands for every host below `example`, `*` for all.
 */
export function matchesHost(host: string, patterns: readonly string[]): boolean {
  const wanted = usualPortOff(host.toLowerCase());
  return patterns.some((pattern) => {
    if (pattern === '*') return true;
    const plain = usualPortOff(pattern);
    return plain.startsWith('*.')
      ? wanted.endsWith(plain.slice(1)) && wanted.length >= plain.length
      : wanted === plain;
  });
}

/**
 * What is allowed with a host. A name beats a pattern, and a longer pattern a shorter one.
 *
 * @param host As in a URL or a reference.
 */
export function hostSettingsOf(host: string, { hosts }: ImagesConfig): HostSettings {
  const [best] = Object.entries(hosts)
    .filter(([pattern]) => matchesHost(host, [pattern]))
    .sort(([one], [other]) => specificity(other) - specificity(one));
  return best?.[1] ?? defaultHostSettings;
}

function specificity(pattern: string): number {
  return pattern.startsWith('*.') ? pattern.length : Number.POSITIVE_INFINITY;
}

function usualPortOff(host: string): string {
  return host.replace(/:443$/, '');
}
