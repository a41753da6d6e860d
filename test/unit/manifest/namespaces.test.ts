import { expect, it } from 'vitest';
import { namespacesAmong, readNamespaces } from '../../../src/manifest/namespaces.ts';
import { problemText } from '../../../src/manifest/read.ts';

const shop =
  'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels: {gravekeeper.dev/inject: auto}\n';

it('reads the labels of namespaces, from documents and from lists', () => {
  const text = `${shop}---\n{"apiVersion": "v1", "kind": "NamespaceList", "items": [{"metadata": {"name": "bare"}}]}\n`;
  expect(readNamespaces(text, 'ns.yaml')).toEqual({
    labels: new Map([
      ['shop', new Map([['gravekeeper.dev/inject', 'auto']])],
      ['bare', new Map()],
    ]),
    problems: [],
  });
});

it.each([
  ['kind: Pod\napiVersion: v1', 'ns.yaml:1: this is "Pod" of "v1"; expected a Namespace of v1'],
  ['kind: Namespace', 'ns.yaml:1: this is "Namespace" of null; expected a Namespace of v1'],
  [
    'apiVersion: v1\nkind: Namespace',
    'ns.yaml:1: metadata.name is missing; expected the name of the namespace',
  ],
  [
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: 7}',
    'ns.yaml:1: metadata.name is missing; expected the name of the namespace',
  ],
  [
    'a: [',
    'ns.yaml:2: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
])('goes on after %j', (bad, problem) => {
  const { labels, problems } = readNamespaces(`${bad}\n---\n${shop}`, 'ns.yaml');
  expect([...labels.keys()]).toEqual(['shop']);
  expect(problems.map(problemText)).toEqual([problem]);
});

it('keeps the first of two namespaces of one name', () => {
  const { labels, problems } = readNamespaces(`${shop}---\n${shop.replace('auto', 'tini')}`, 'ns.yaml');
  expect(labels.get('shop')).toEqual(new Map([['gravekeeper.dev/inject', 'auto']]));
  expect(problems.map(problemText)).toEqual([
    'ns.yaml:7: the namespace "shop" stands here for the second time; the first one counts',
  ]);
});

it('leaves out a label that is no string, but not the namespace', () => {
  const text = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {x: true, y: "1"}}\n';
  const { labels, problems } = readNamespaces(text, 'ns.yaml');
  expect(labels.get('a')).toEqual(new Map([['y', '1']]));
  expect(problems.map(problemText)).toEqual([
    'ns.yaml:1: the label x is true; expected a string: put it in quotes',
  ]);
});

it('picks namespaces out of other objects, wherever they stand, and passes over what it cannot read', () => {
  const list = '{"kind": "NamespaceList", "apiVersion": "v1", "items": [{"metadata": {"name": "listed"}}]}';
  const text = `kind: Pod\n# of the Namespace\n---\na: [ # Namespace\n---\n${shop}---\n${list}\n---\n${shop.replace('auto', 'tini')}`;
  expect(namespacesAmong(text)).toEqual(
    new Map([
      ['shop', new Map([['gravekeeper.dev/inject', 'auto']])],
      ['listed', new Map()],
    ]),
  );
  expect(namespacesAmong('kind: Pod\n')).toEqual(new Map());
});
