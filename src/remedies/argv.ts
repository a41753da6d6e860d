import type { ImageArgv } from '../config/config.ts';
import { escapeDollars, expandWords, literalEnv } from '../pod/expand.ts';
import type { Container } from '../pod/pod.ts';

/** The words of a container's process. */
export interface ContainerArgv {
  /**
   * The words as the pod's fields would have to hold them: those that the user wrote byte for byte, those of the
   * image with every `$` doubled, since the kubelet expands `$(VAR)` and `$$` in pod fields and never in images.
   */
  readonly asFields: readonly string[];
  /** The words as executed: what the kubelet can be seen to expand is expanded. */
  readonly asExecuted: readonly string[];
}

/**
 * Puts `command` and `args` of a container and ENTRYPOINT and CMD of its image together as the kubelet and the
 * runtime do: a `command` replaces both image values, `args` replace CMD, an empty list counts as unset, and
 * ENTRYPOINT `[""]` as none.
 *
 * @param container The container.
 * @param image What is known of its image, or null.
 * @returns The words, or null where they are not known, are none, or are too many to be executed.
 */
export function argvOf(container: Container, image: ImageArgv | null): ContainerArgv | null {
  const asFields = fieldsOf(container, image);
  if (!asFields || asFields.length === 0) return null;
  const env = asFields.some((word) => word.includes('$')) ? literalEnv(container.fields.env) : new Map();
  const asExecuted = expandWords(asFields, (name) => env.get(name));
  return asExecuted && { asFields, asExecuted };
}

/** Whether the words of a container's process can be put together. */
export function isArgvKnown(container: Container, image: ImageArgv | null): boolean {
  return Boolean(fieldsOf(container, image)?.length);
}

function fieldsOf({ fields }: Container, image: ImageArgv | null): readonly string[] | null {
  const command = fields.command ?? [];
  const args = fields.args ?? [];
  if (command.length > 0) return [...command, ...args];
  return image && [...entrypointOf(image), ...(args.length > 0 ? args : escaped(image.cmd))];
}

function entrypointOf(image: ImageArgv): readonly string[] {
  const entrypoint = image.entrypoint ?? [];
  return entrypoint.length === 1 && entrypoint[0] === '' ? [] : escaped(entrypoint);
}

function escaped(words: readonly string[] | null | undefined): readonly string[] {
  return (words ?? []).map(escapeDollars);
}
