import { describe, expect, it } from 'vitest';
import { createLog } from '../../../src/admission/log.ts';
import { createMetrics } from '../../../src/admission/metrics.ts';
import { type Entry, type Labels, namespaceLabels } from '../../../src/admission/namespace-labels.ts';

const inject = new Map([['gravekeeper.dev/inject', 'auto']]);
const probes = new Map([['gravekeeper.dev/probes', 'warn']]);
const both = new Map([...inject, ...probes]);
const neither: Labels = new Map([['team', 'shop']]);

/** Calls with these cached labels, and says what came back and whether anyone was asked. */
async function call(
  cached: Labels | null,
  entry: Entry | null,
  refresh: ((namespace: string) => Promise<Labels | null>) | null = async () => new Map([['fresh', 'yes']]),
) {
  const asked: string[] = [];
  const lines: string[] = [];
  const metrics = createMetrics({ version: 'test' });
  const labels = await namespaceLabels('shop', entry, {
    namespaces: {
      labelsOf: (namespace) => (namespace === 'shop' ? cached : null),
      ...(refresh && {
        refreshNamespace: (namespace: string) => {
          asked.push(namespace);
          return refresh(namespace);
        },
      }),
    },
    log: createLog('info', { write: (line: string) => void lines.push(line) }),
    metrics,
  });
  return { labels: Object.fromEntries(labels), asked, lines, text: await metrics.registry.metrics() };
}

describe('namespaceLabels', () => {
  const agreeing: [Entry | null, Labels][] = [
    ['namespace-inject', inject],
    ['namespace-inject', both],
    ['namespace-probes', probes],
    ['pod-label', neither],
    [null, neither],
    [null, both],
  ];
  it.each(agreeing)('takes the word of the cache where entry %s agrees with it', async (entry, cached) => {
    const { labels, asked } = await call(cached, entry);
    expect(asked).toEqual([]);
    expect(labels).toEqual(Object.fromEntries(cached));
  });

  const contradicting: [Entry, Labels | null][] = [
    ['namespace-inject', neither],
    ['namespace-inject', probes],
    ['namespace-inject', null],
    ['namespace-probes', both],
    ['namespace-probes', neither],
    ['namespace-probes', null],
    ['pod-label', inject],
    ['pod-label', probes],
    ['pod-label', null],
  ];
  it.each(contradicting)('asks once where entry %s contradicts it', async (entry, cached) => {
    const { labels, asked, text } = await call(cached, entry);
    expect(asked).toEqual(['shop']);
    expect(labels).toEqual({ fresh: 'yes' });
    expect(text).toContain('gravekeeper_namespace_refreshes_total{result="success"} 1');
  });

  it('goes on with the cached labels where asking fails, and says so', async () => {
    const { labels, lines, text } = await call(probes, 'namespace-inject', () =>
      Promise.reject(new Error('no route to host')),
    );
    expect(labels).toEqual(Object.fromEntries(probes));
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      namespace: 'shop',
      err: { message: 'no route to host' },
    });
    expect(text).toContain('gravekeeper_namespace_refreshes_total{result="failure"} 1');
  });

  it('knows no labels of a namespace that is in no cache and that nobody can be asked about', async () => {
    expect(await call(null, null)).toMatchObject({ labels: {}, asked: [] });
    expect(await call(null, 'namespace-inject', null)).toMatchObject({ labels: {}, asked: [] });
  });

  it('knows no labels of a namespace that is gone', async () => {
    expect((await call(inject, 'pod-label', async () => null)).labels).toEqual({});
  });
});
