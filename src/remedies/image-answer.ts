import type { ImageArgv } from '../config/config.ts';

/** What was found out of an image. */
export interface ImageAnswer extends ImageArgv {
  /** USER as the image's config holds it: a name, a number, either with a group; empty for none. */
  readonly user?: string;
}

/** Whom a container's process starts as where its pod does not say. */
export type ImageUser = 'root' | 'not-root' | 'unknown';

/** Runtimes keep a user ID in 32 bits; what is larger may come out as 0. */
const userIds = 2 ** 31;

/**
 * Says whether the USER of an image is root. Of a name other than root only the image's /etc/passwd knows, where it may
 * stand for 0; the kubelet does not take one for a user that is not root either ("cannot verify user is non-root").
 *
 * @param user As the image's config holds it; undefined where that is not known.
 */
export function imageUserOf(user: string | undefined): ImageUser {
  if (user === undefined) return 'unknown';
  const [name = ''] = user.split(':', 1);
  if (name === '' || name === 'root') return 'root';
  if (!/^\d+$/.test(name)) return 'unknown';
  const id = Number(name);
  if (id === 0) return 'root';
  return id < userIds ? 'not-root' : 'unknown';
}
