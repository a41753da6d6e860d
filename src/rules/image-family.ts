/** Whether an image's small tools are busybox's, as far as its name tells. */
type ImageFamily = 'busybox' | 'other' | 'unknown';

const busyboxWords = wordPattern(['alpine', 'busybox']);
const otherWords = wordPattern([
  ...['debian', 'minideb', 'stretch', 'buster', 'bullseye', 'bookworm', 'trixie', 'slim', 'distroless'],
  ...['ubuntu', 'xenial', 'bionic', 'focal', 'jammy', 'noble'],
  ...['ubi', 'rhel', 'redhat', 'centos', 'fedora', 'rocky', 'rockylinux', 'almalinux', 'oraclelinux'],
  ...['amazonlinux', 'opensuse', 'suse', 'sles', 'photon'],
]);

/** Matches any of the names as a word, with or without a version behind it: `alpine3.19`, `ubi9`. */
function wordPattern(names: readonly string[]): RegExp {
  return new RegExp(`(?<![a-z0-9])(?:${names.join('|')})\\d*(?![a-z0-9])`);
}

/**
 * Tells from an image's name or tag whether its `timeout` is busybox's. The registry's host and the digest say
 * nothing about it. Wolfi and Chainguard images, whose tools may be either, are unknown.
 *
 * @param image The image reference as written in the pod.
 */
export function imageFamily(image: string | null): ImageFamily {
  if (image === null) return 'unknown';
  const [reference = ''] = image.toLowerCase().split('@');
  const slash = reference.indexOf('/');
  const host = slash < 0 ? '' : reference.slice(0, slash);
  const isHost = host.includes('.') || host.includes(':') || host === 'localhost';
  const nameAndTag = isHost ? reference.slice(slash + 1) : reference;
  if (busyboxWords.test(nameAndTag)) return 'busybox';
  return otherWords.test(nameAndTag) ? 'other' : 'unknown';
}
