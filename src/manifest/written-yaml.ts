import { stringify } from 'yaml';
import type { JsonObject } from '../pod/json.ts';

/** The order in which people write these fields; the others stay between them, as they came. */
const writtenFirst = ['name', 'image', 'imagePullPolicy', 'command', 'args', 'initContainers', 'containers'];
const writtenLast = ['terminationMessagePolicy', 'volumeMounts', 'volumes'];

/** An object in YAML, for people to read and compare: its fields in the order in which they are written as a rule. */
export function writtenYaml(object: JsonObject): string {
  return stringify(object, {
    lineWidth: 0,
    aliasDuplicateObjects: false,
    sortMapEntries: (one, other) => placeOf(String(one.key)) - placeOf(String(other.key)),
  });
}

function placeOf(field: string): number {
  const first = writtenFirst.indexOf(field);
  return first >= 0 ? first - writtenFirst.length : writtenLast.indexOf(field) + 1;
}
