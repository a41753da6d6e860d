import { expect, it } from 'vitest';
import { decode, encode } from '../../../src/manifest/decode.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

it('decodes UTF-8, and takes the byte order mark off', () => {
  expect(decode(new TextEncoder().encode('a: ü'))).toEqual({
    text: 'a: ü',
    encoding: 'utf-8',
    byteOrderMark: false,
  });
  expect(decode(bytes(0xef, 0xbb, 0xbf, 0x61))).toEqual({
    text: 'a',
    encoding: 'utf-8',
    byteOrderMark: true,
  });
});

it('decodes UTF-16, as PowerShell writes it', () => {
  expect(decode(bytes(0xff, 0xfe, 0x61, 0))).toMatchObject({ text: 'a', encoding: 'utf-16le' });
  expect(decode(bytes(0xfe, 0xff, 0, 0x61))).toMatchObject({ text: 'a', encoding: 'utf-16be' });
});

it('says what is no text', () => {
  expect(decode(bytes(0x7f, 0x45, 0x4c, 0x46, 0))).toEqual({
    problem: 'this file is binary; expected YAML or JSON',
  });
  expect(decode(bytes(0x61, 0xff))).toEqual({
    problem: 'this file is not text in UTF-8; expected YAML or JSON',
  });
});

it('encodes what it decoded', () => {
  const source = bytes(0xef, 0xbb, 0xbf, 0x61);
  const decoded = decode(source);
  expect('text' in decoded && encode(decoded.text, decoded)).toEqual(source);
});
