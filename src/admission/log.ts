import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';

/** The levels that the log can be set to, from the most to the least that is said. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A logger that writes one JSON object per line. */
export type Log = Logger;

/**
 * Makes the logger of the webhook: JSON lines with `level` as a word and `time` in ISO 8601. Lines are written while
 * the program goes on, several at once where they come fast, and the last ones when it ends.
 *
 * @param level The least level that is written.
 * @param destination Where the lines go; left out, standard output.
 */
export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, destination ?? pino.destination({ dest: 1, sync: false }));
}
