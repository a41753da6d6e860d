import { readFileSync } from 'node:fs';
import { type Config, defaultConfig } from '../config/config.ts';
import type { PullSecret } from '../images/pull-secrets.ts';
import { InputError } from '../input-error.ts';
import { ruleIds } from '../rules/index.ts';
import { readConfig } from './webhook/read-config.ts';

/**
 * Reads the configuration of a command that judges.
 *
 * @param path What `--config` names; left out, the default configuration.
 * @throws {InputError} if the file cannot be read or used.
 */
export function configOf(path: string | undefined): Config {
  return path === undefined ? defaultConfig : readConfig(textOf(path), path, { ruleIds });
}

/**
 * Reads credentials for registries as `docker login` keeps them.
 *
 * @param path What `--docker-config` names; left out, there are none.
 * @throws {InputError} if the file cannot be read.
 */
export function credentialsOf(path: string | undefined): readonly PullSecret[] {
  if (path === undefined) return [];
  const data = new Map([['.dockerconfigjson', textOf(path)]]);
  return [{ type: 'kubernetes.io/dockerconfigjson', data }];
}

/**
 * Reads a file that an option names.
 *
 * @throws {InputError} if the file cannot be read.
 */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
