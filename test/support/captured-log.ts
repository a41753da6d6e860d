import { createLog, type Log } from '../../src/admission/log.ts';

/** A line of the log, read back. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

/** A log whose lines can be read and waited for. */
export interface CapturedLog {
  readonly log: Log;
  readonly lines: readonly LogLine[];
  /** The first line, of those written from now on, whose message holds the text. */
  next(text: string): Promise<LogLine>;
}

export function captureLog(): CapturedLog {
  const lines: LogLine[] = [];
  const waiting = new Set<{ text: string; resolve: (line: LogLine) => void }>();
  const log = createLog('debug', {
    write(text: string) {
      const line: LogLine = JSON.parse(text);
      lines.push(line);
      for (const wait of waiting) {
        if (!line.msg.includes(wait.text)) continue;
        waiting.delete(wait);
        wait.resolve(line);
      }
    },
  });
  return {
    log,
    lines,
    next: (text) => new Promise((resolve) => void waiting.add({ text, resolve })),
  };
}
