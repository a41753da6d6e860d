import { type Config, type ConfigContext, parseConfig } from '../../config/config.ts';
import { InputError } from '../../input-error.ts';

/**
 * Reads the configuration file for a command.
 *
 * @param text What it holds.
 * @param path Its name, for the message.
 * @param context The known rules, and the namespace that Gravekeeper runs in.
 * @throws {InputError} with a line for each problem: file, line, path of the key and what was expected.
 */
export function readConfig(text: string, path: string, context: ConfigContext): Config {
  const outcome = parseConfig(text, context);
  if ('config' in outcome) return outcome.config;
  const lines = outcome.problems.map(({ path: key, line, message }) => {
    const where = line === null ? path : `${path}:${line}`;
    return key === '' ? `${where}: ${message}` : `${where}: ${key}: ${message}`;
  });
  throw new InputError(`the configuration cannot be used:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}
