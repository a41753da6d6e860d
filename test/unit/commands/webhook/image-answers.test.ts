import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../../src/admission/metrics.ts';
import { openImageAnswers } from '../../../../src/commands/webhook/image-answers.ts';
import { type Config, parseConfig } from '../../../../src/config/config.ts';
import { InputError } from '../../../../src/input-error.ts';
import { readPod } from '../../../../src/pod/pod.ts';
import { captureLog } from '../../../support/captured-log.ts';
import { type FakeRegistry, startFakeRegistry } from '../../../support/fake-registry.ts';

let registry: FakeRegistry;
beforeAll(async () => {
  registry = await startFakeRegistry();
  registry.image('team/app', 'v1', { Cmd: ['x'] });
});
afterAll(() => registry.close());
beforeEach(() => registry.reset());

const image = () => `localhost:${registry.port}/team/app:v1`;

function configWith(registries: readonly string[]): Config {
  const hosts = { [`localhost:${registry.port}`]: { privateAddress: true, ca: registry.ca } };
  const outcome = parseConfig(JSON.stringify({ images: { registries, hosts } }), { ruleIds: [] });
  if ('problems' in outcome) throw new Error(JSON.stringify(outcome.problems));
  return outcome.config;
}

describe('openImageAnswers', () => {
  it('follows the configuration, and forgets nothing while that says the same of images', async () => {
    const live = { current: configWith([]), close() {} };
    const { log, lines } = captureLog();
    const metrics = createMetrics({ version: '1' });
    const answers = await openImageAnswers({ config: live, log, metrics });
    const ask = () =>
      answers.answer([{ container: 'app', image: image() }], { pod: readPod({}), namespace: 'shop' });
    try {
      expect([...(await ask())]).toEqual([]);
      expect(lines).toMatchObject([{ image: image(), cause: 'registry-not-allowed' }]);
      for (const _ of [1, 2, 3]) {
        live.current = configWith([`localhost:${registry.port}`]);
        expect((await ask()).get('app')?.cmd).toEqual(['x']);
      }
      expect(registry.arrived).toHaveLength(2);
      live.current = configWith([]);
      expect([...(await ask())]).toEqual([]);
    } finally {
      answers.close();
    }
    const text = await metrics.registry.metrics();
    expect(text).toContain('gravekeeper_image_lookups_total{outcome="registry-not-allowed"} 2');
    expect(text).toContain('gravekeeper_image_lookups_total{outcome="cached"} 2');
  });

  it('says that pull secrets need a cluster', async () => {
    const live = { current: configWith([]), close() {} };
    const parts = { config: live, log: captureLog().log, metrics: createMetrics({ version: '1' }) };
    const env = { ...process.env };
    delete process.env.KUBECONFIG;
    delete process.env.KUBERNETES_SERVICE_HOST;
    try {
      await expect(openImageAnswers({ ...parts, secretsFrom: { kubeconfig: undefined } })).rejects.toThrow(
        InputError,
      );
    } finally {
      Object.assign(process.env, env);
    }
  });
});
