import { expect, test } from 'vitest';
import { madePages, strayPages } from '../../../scripts/docs/pages.ts';

test.each(madePages())('$path is what the code and the fixtures make of it', ({ path, stands, text }) => {
  // A difference here is not to be mended by hand.
  expect(stands, `${path} is stale: run npm run docs, and read the difference`).toBe(text);
});

test('no page is left of what is no more', () => {
  expect(strayPages(), 'run npm run docs').toEqual([]);
});
