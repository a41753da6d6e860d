/** The text of a file, and how its bytes said it. */
export interface Decoded {
  /** Without a byte order mark. */
  readonly text: string;
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be';
  readonly byteOrderMark: boolean;
}

const looked = 8192;

/**
 * Decodes the bytes of a manifest. UTF-16 with a byte order mark, which PowerShell writes, is text for kubectl too.
 *
 * @param bytes What the file holds.
 * @returns Its text, or in words why it is none.
 */
export function decode(bytes: Uint8Array): Decoded | { readonly problem: string } {
  const encoding = utf16Of(bytes) ?? 'utf-8';
  if (encoding === 'utf-8' && bytes.subarray(0, looked).includes(0)) {
    return { problem: 'this file is binary; expected YAML or JSON' };
  }
  const byteOrderMark = encoding !== 'utf-8' || startsWith(bytes, [0xef, 0xbb, 0xbf]);
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), encoding, byteOrderMark };
  } catch {
    return { problem: `this file is not text in ${encoding.toUpperCase()}; expected YAML or JSON` };
  }
}

/** The bytes of a text that was decoded from UTF-8. */
export function encode(text: string, { byteOrderMark }: Pick<Decoded, 'byteOrderMark'>): Uint8Array {
  return new TextEncoder().encode(byteOrderMark ? `\ufeff${text}` : text);
}

function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  if (startsWith(bytes, [0xff, 0xfe])) return 'utf-16le';
  return startsWith(bytes, [0xfe, 0xff]) ? 'utf-16be' : null;
}

function startsWith(bytes: Uint8Array, mark: readonly number[]): boolean {
  return mark.every((byte, index) => bytes[index] === byte);
}
