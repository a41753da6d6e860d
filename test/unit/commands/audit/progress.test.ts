import { expect, it } from 'vitest';
import { progressOn } from '../../../../src/commands/audit/progress.ts';

function stream(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, write: (text: string) => written.push(text) > 0 };
}

it('says of each kind of things what was said last, in one line', () => {
  const terminal = stream(true);
  const progress = progressOn(terminal);
  progress.show('files', 'read 1 of 9 files');
  progress.show('images', 'asked for 1 image');
  progress.show('files', 'read 2 of 9 files');
  progress.clear();
  progress.clear();
  progress.show('images', 'asked for 2 images');
  expect(terminal.written).toEqual([
    '\rread 1 of 9 files\u001b[K',
    '\rread 1 of 9 files, asked for 1 image\u001b[K',
    '\rread 2 of 9 files, asked for 1 image\u001b[K',
    '\r\u001b[K',
    '\rasked for 2 images\u001b[K',
  ]);
});

it('writes nothing where nobody looks on', () => {
  const file = stream(false);
  const progress = progressOn(file);
  progress.show('files', 'read 1 of 9 files');
  progress.clear();
  expect(file.written).toEqual([]);
});
