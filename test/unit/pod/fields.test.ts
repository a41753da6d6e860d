import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { judge } from '../../../src/judge.ts';
import { pickContainer, pickMetadata, pickSpec } from '../../../src/pod/fields.ts';
import { isJsonObject, type JsonObject } from '../../../src/pod/json.ts';
import { readPod } from '../../../src/pod/pod.ts';
import { pointer } from '../../../src/pod/pointer.ts';
import { policyOf } from '../../../src/policy/policy.ts';
import { arbitraryPod, type Json, mutatedPod } from '../../support/arbitrary-pod.ts';

type Pick = typeof pickMetadata | typeof pickSpec | typeof pickContainer;

/** A pod whose every part went through a function. */
function rebuilt(raw: JsonObject, through: (pick: Pick, part: JsonObject) => unknown): JsonObject {
  const part = (pick: Pick, value: unknown) => (isJsonObject(value) ? through(pick, value) : value);
  const parts = (list: unknown) =>
    Array.isArray(list) ? list.map((value) => part(pickContainer, value)) : list;
  const spec = part(pickSpec, raw.spec);
  return {
    metadata: part(pickMetadata, raw.metadata),
    spec: isJsonObject(spec)
      ? { ...spec, containers: parts(spec.containers), initContainers: parts(spec.initContainers) }
      : spec,
  };
}

/** Read from text, since a mutated list may have a hole, which JSON cannot say. */
const anyPod = fc
  .oneof(arbitraryPod, mutatedPod, fc.jsonValue() as fc.Arbitrary<Json>)
  .map((raw): JsonObject => JSON.parse(JSON.stringify(isJsonObject(raw) ? raw : {})));

describe('picking', () => {
  it('takes what the schema takes, and names what it does not', () => {
    fc.assert(
      fc.property(anyPod, (raw) => {
        rebuilt(raw, (pick, part) => {
          const outcome = pick.schema.safeParse(part);
          const picked = pick(part, '/x');
          const pointers = outcome.error?.issues.map(({ path }) => pointer('/x', ...path.map(String)));
          expect(picked.lost).toEqual([...new Set(pointers)]);
          const again = pick.schema.safeParse(picked.fields);
          expect(again.success).toBe(true);
          if (outcome.success) expect(again.data).toStrictEqual(outcome.data);
          return part;
        });
      }),
      { numRuns: 300 },
    );
  });

  it('lets no field that is not in the schema change a verdict', () => {
    const verdict = (raw: JsonObject) => {
      const pod = readPod(raw);
      const namespaceLabels = new Map([['gravekeeper.dev/inject', 'auto']]);
      const policy = policyOf(pod, { namespace: 'shop', namespaceLabels, config: defaultConfig });
      return judge(pod, policy);
    };
    fc.assert(
      fc.property(anyPod, (raw) => {
        const known = rebuilt(raw, (pick, part) => pick.schema.safeParse(part).data ?? part);
        expect(verdict(raw)).toEqual(verdict(known));
      }),
      { numRuns: 200 },
    );
  });
});
