import { realpathSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import type { Source, SourceText } from '../../audit/sources.ts';

/**
 * The change of a file as a unified diff that `patch -p1` and `git apply` take: in the current folder where the file is
 * below it, else in the root of the file system.
 *
 * @param source The file.
 * @param before What it holds.
 * @param after What it is to hold; nothing is printed where that is the same.
 */
export function patchOf(
  source: Source,
  before: Pick<Extract<SourceText, { text: string }>, 'text' | 'byteOrderMark'>,
  after: string,
): string {
  if (after === before.text) return '';
  const mark = before.byteOrderMark ? '\ufeff' : '';
  const name = patchedName(source);
  const patch = createTwoFilesPatch(
    `a/${name}`,
    `b/${name}`,
    mark + before.text,
    mark + after,
    undefined,
    undefined,
    { headerOptions: FILE_HEADERS_ONLY },
  );
  const hunks = patch.indexOf('\n@@');
  return patch.slice(0, hunks).replace(nameWithBlanks, '$&\t') + patch.slice(hunks);
}

/** Of a header, without quotes. A tab has to end it, or `patch` takes the first blank for its end. */
const nameWithBlanks = /^\S+ [^"].* .*$/gm;

/** Both programs refuse links, and names that lead out of the folder they are started in. */
function patchedName({ name, path }: Source): string {
  if (path === null) return name;
  const real = realpathSync(path);
  const below = relative(realpathSync('.'), real);
  return below.startsWith('..') ? resolve(real).slice(1) : below;
}
