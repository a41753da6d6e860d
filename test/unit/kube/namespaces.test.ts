import { expect, it } from 'vitest';
import { staticNamespaces } from '../../../src/kube/namespaces.ts';

it('knows what it is given, at every moment', async () => {
  let given = new Map([['shop', new Map([['a', 'b']])]]);
  const namespaces = staticNamespaces(() => given);
  expect(namespaces.synced()).toBe(true);
  expect(namespaces.labelsOf('shop')).toEqual(new Map([['a', 'b']]));
  expect(namespaces.labelsOf('bank')).toBeNull();
  given = new Map([['bank', new Map()]]);
  expect(namespaces.labelsOf('shop')).toBeNull();
  expect(await namespaces.refresh('bank')).toEqual(new Map());
  await namespaces.stop();
});
