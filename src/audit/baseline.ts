import * as z from 'zod';
import { InputError } from '../input-error.ts';
import { findingIdentity } from './identity.ts';

const schema = z.object({
  schemaVersion: z.literal(1),
  objects: z.array(
    z.object({
      apiVersion: z.string(),
      kind: z.string(),
      namespace: z.string(),
      name: z.string(),
      findings: z.array(
        z.object({
          rule: z.string(),
          container: z.string(),
          probe: z.enum(['liveness', 'readiness', 'startup']),
        }),
      ),
    }),
  ),
});

/**
 * Reads a baseline: an earlier report as `audit -o json` wrote it. Its findings are known and do not count again.
 *
 * @param text What the file holds.
 * @param file Its name, for the message.
 * @returns The identities of its findings.
 * @throws {InputError} if it is no such report.
 */
export function readBaseline(text: string, file: string): ReadonlySet<string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError(`${file}: expected a report of gravekeeper audit -o json, and this is not JSON`);
  }
  const outcome = schema.safeParse(value);
  if (!outcome.success) {
    const issue = outcome.error.issues[0];
    const at = issue?.path.length ? `${issue.path.join('.')}: ` : '';
    throw new InputError(`${file}: expected a report of gravekeeper audit -o json: ${at}${issue?.message}`);
  }
  return new Set(
    outcome.data.objects.flatMap((object) =>
      object.findings.map((finding) => findingIdentity(object, finding)),
    ),
  );
}
