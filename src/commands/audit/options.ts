import { InvalidArgumentError } from 'commander';
import { labelKeys } from '../../policy/keys.ts';

const assumable = {
  inject: ['auto', 'share-pid', 'tini', 'none'],
  probes: ['warn', 'deny', 'ignore'],
  'dry-run': ['true', 'false'],
} as const;

const keys: Readonly<Record<keyof typeof assumable, string>> = {
  inject: labelKeys.inject,
  probes: labelKeys.probes,
  'dry-run': labelKeys.dryRun,
};

/** Labels that stand for those that a namespace lacks. */
export type Assumed = ReadonlyMap<string, string>;

/** Reads `inject=auto`, after what was given before. */
export function assume(text: string, before: Assumed = new Map()): Assumed {
  const [name = '', value = ''] = text.split('=', 2);
  if (!isAssumable(name)) {
    throw new InvalidArgumentError(`Expected ${Object.keys(assumable).join('=…, ')}=….`);
  }
  const values: readonly string[] = assumable[name];
  if (!values.includes(value)) {
    throw new InvalidArgumentError(`Expected ${name}= with one of ${values.join(', ')}.`);
  }
  return new Map([...before, [keys[name], value]]);
}

function isAssumable(name: string): name is keyof typeof assumable {
  return Object.hasOwn(assumable, name);
}
