/** A line that says how far a run has come, where a person looks on. */
export interface Progress {
  /** Says it of one kind of things; what was said of the others stays. */
  show(things: 'files' | 'objects' | 'images', text: string): void;
  /** Takes the line away, before something else is written. */
  clear(): void;
}

/** @param stream Where the line stands; nothing is written to what is no terminal. */
export function progressOn(stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>): Progress {
  const said = new Map<string, string>();
  return {
    show(things, text) {
      if (!stream.isTTY) return;
      said.set(things, text);
      stream.write(`\r${[...said.values()].join(', ')}\u001b[K`);
    },
    clear() {
      if (said.size > 0) stream.write('\r\u001b[K');
      said.clear();
    },
  };
}
