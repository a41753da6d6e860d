import { createTwoFilesPatch } from 'diff';
import fjp, { type Operation } from 'fast-json-patch';
import { stringify } from 'yaml';
import { writtenYaml } from '../manifest/written-yaml.ts';
import { isJsonObject, type JsonObject } from '../pod/json.ts';
import { tokensOf, valueAt } from '../pod/pointer.ts';
import { rules } from '../rules/index.ts';
import type { Finding } from '../rules/rule.ts';
import { fixesFor } from './fixes.ts';
import type { AuditContext, JudgedObject } from './judged.ts';
import type { AuditedFinding, AuditedObject } from './report.ts';

/** Far more than a remedy changes; the comparison of more would take long. */
const mostLinesChanged = 5000;

/** What the remedy changes in an object, as a unified diff of its YAML without a header; nothing where it changes nothing. */
export function changeOf({ value, verdict }: JudgedObject): Pick<AuditedObject, 'change'> {
  if (verdict.patch.length === 0) return {};
  const before = shownOf(value);
  const operations: Operation[] = structuredClone([...verdict.patch]);
  const after = fjp.applyPatch(structuredClone(before), operations).newDocument;
  const diff = createTwoFilesPatch('', '', writtenYaml(before), writtenYaml(after), undefined, undefined, {
    context: 2,
    maxEditLength: mostLinesChanged,
  });
  return diff === undefined ? {} : { change: diff.slice(diff.indexOf('@@')) };
}

/** An object without what a cluster adds to it. */
function shownOf(value: JsonObject): JsonObject {
  const { status: _, ...rest } = value;
  if (!isJsonObject(value.metadata)) return rest;
  const { managedFields: __, ...metadata } = value.metadata;
  return { ...rest, metadata };
}

/** The probe of a finding as it is, and as it could be: with its fix, or like the example of the rule. */
export function excerptsOf(
  finding: Finding,
  judged: JudgedObject,
  context: AuditContext,
): Pick<AuditedFinding, 'before' | 'after'> {
  const at = finding.pointer.replace(/\/exec\/command$/, '');
  const key = at.slice(at.lastIndexOf('/') + 1);
  const probe = valueAt(judged.value, tokensOf(at));
  if (!isJsonObject(probe)) return {};
  const yaml = (value: JsonObject) => stringify({ [key]: value }, { lineWidth: 0 });
  const settings = fixesFor(judged, context)
    .fixes.map(({ setting }) => setting)
    .filter((setting) => setting.pointer === at);
  const written = Object.fromEntries(settings.map((setting) => [setting.key, setting.value]));
  const example = rules.find(({ id }) => id === finding.rule)?.example.after ?? '';
  return {
    before: yaml(probe),
    after: settings.length > 0 ? yaml({ ...probe, ...written }) : `# for example\n${example}`,
  };
}
