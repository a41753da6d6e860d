import { expect, it } from 'vitest';
import { AnsweredAudit } from '../../../src/audit/answered-audit.ts';
import { Audit } from '../../../src/audit/run.ts';
import type { Answers } from '../../../src/judge.ts';
import { isJsonObject, type JsonObject } from '../../../src/pod/json.ts';
import { contextOf } from './audit-of.ts';

const context = contextOf('', { 'gravekeeper.dev/inject': 'auto' });

function deployment(name: string): JsonObject {
  const spec = { containers: [{ name: 'app', image: 'x' }] };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { template: { spec } } };
}

const nameOf = ({ metadata }: JsonObject) => String(isJsonObject(metadata) ? metadata.name : '');
const known: Answers = new Map([['app', { cmd: ['/app'] }]]);

it('passes objects on in their order, whatever is answered first, with the answers of each', async () => {
  const audit = new Audit({ context });
  const slow = Promise.withResolvers<Answers>();
  const answered = new AnsweredAudit(audit, context, async (value) =>
    nameOf(value) === 'slow' ? await slow.promise : new Map(),
  );
  answered.add({ value: deployment('slow') }, '1.yaml');
  answered.add({ file: '2.yaml', line: 1, message: 'it is no YAML' }, '2.yaml');
  answered.add({ value: deployment('quick') }, '3.yaml');
  expect(audit.report()).toMatchObject({ objects: [], problems: [] });
  slow.resolve(known);
  await answered.passAll();
  const { objects, problems } = audit.report();
  expect(objects.map(({ name, file, remedy }) => [name, file, remedy.reason])).toEqual([
    ['slow', '1.yaml', 'argv-known'],
    ['quick', '3.yaml', 'argv-unknown'],
  ]);
  expect(problems).toMatchObject([{ file: '2.yaml' }]);
});

it('is full when 64 wait, and not once one was passed on', async () => {
  const audit = new Audit({ context });
  const answered = new AnsweredAudit(audit, context, async () => known);
  for (let index = 0; index < 63; index += 1) answered.add({ value: deployment(`${index}`) });
  expect(answered.isFull).toBe(false);
  answered.add({ value: deployment('last') });
  expect(answered.isFull).toBe(true);
  await answered.passOne();
  expect(answered.isFull).toBe(false);
  expect(audit.report().objects.map(({ name }) => name)).toEqual(['0']);
});

it('passes objects on at once where nobody is asked', () => {
  const audit = new Audit({ context });
  const answered = new AnsweredAudit(audit, context, undefined);
  for (let index = 0; index < 100; index += 1) answered.add({ value: deployment(`${index}`) });
  expect(audit.report().objects).toHaveLength(100);
  expect(answered.isFull).toBe(false);
});
