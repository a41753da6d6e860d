/**
 * Why an image could not be looked up. A cause stands in metrics, logs and messages; the sentence never holds anything
 * that a registry said.
 */
const sentences = {
  'invalid-reference': 'it is no reference to an image',
  'registry-not-allowed': 'its registry is not among images.registries of the configuration',
  'address-not-allowed':
    'the registry, or a host that it names, has an address that is not public; list it under images.hosts with privateAddress',
  'http-not-allowed':
    'the registry sends to a host over plain HTTP; list it under images.hosts with plainHttp',
  'foreign-realm':
    'the registry asks to send its credentials to another host; list it under tokenHosts of the registry in images.hosts',
  denied: 'the registry does not let it be read with the credentials at hand',
  'not-found': 'the registry has no such image',
  'rate-limited': 'the registry wants to be left alone for a while',
  'registry-error': 'the registry answers with an error',
  unreachable: 'the registry, or a host that it names, cannot be reached',
  'untrusted-certificate':
    'the certificate of the registry is not trusted; give its authority as images.ca or as ca of the host',
  timeout: 'the registry does not answer in time',
  'too-large': 'an answer is larger than any that a real image has',
  'digest-mismatch': 'what the registry sends does not have the digest that was asked for',
  'unsupported-manifest': 'its manifest is of an old or unknown format',
  'no-linux-image': 'it holds no image for Linux',
  'bad-answer': 'the registry answers with something that is not of its protocol',
  'too-many-redirects': 'the registry sends from one address to the next without end',
  busy: 'too many images are being looked up at once',
} as const;

/** A cause, as metrics name it. */
export type FailureCause = keyof typeof sentences;

/** Every cause. */
export const failureCauses = Object.keys(sentences) as readonly FailureCause[];

/** A cause in words, with `it` for the image. */
export function failureText(cause: FailureCause): string {
  return sentences[cause];
}

/** A look-up that failed. */
export class LookupFailure extends Error {
  override readonly name = 'LookupFailure';
  readonly failure: FailureCause;
  /** How long the registry wants to be left alone, in milliseconds; null where it does not say. */
  readonly retryAfterMs: number | null;

  constructor(failure: FailureCause, retryAfterMs: number | null = null) {
    super(sentences[failure]);
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Causes that cost a pod its time and have to do with the registry, not with the image: others will fail likewise. */
export const failuresOfRegistry: ReadonlySet<FailureCause> = new Set(['timeout', 'unreachable']);

/** Causes that another credential may help against. */
export const failuresOfCredential: ReadonlySet<FailureCause> = new Set([
  'denied',
  'not-found',
  'foreign-realm',
  'rate-limited',
]);
