import { describe, expect, it } from 'vitest';
import { argvOfImage, defaultConfig, isExempt, parseConfig } from '../../../src/config/config.ts';

const context = { ruleIds: ['erlang-cli', 'background'], ownNamespace: 'graves' };

function problemsOf(text: string) {
  const outcome = parseConfig(text, context);
  return 'problems' in outcome ? outcome.problems : [];
}

function configOf(text: string) {
  const outcome = parseConfig(text, context);
  if ('problems' in outcome) throw new Error(JSON.stringify(outcome.problems));
  return outcome.config;
}

describe('parseConfig', () => {
  it.each(['', '{}', '# only a comment\n', '---\n'])('takes %j as the default configuration', (text) => {
    const config = configOf(text);
    expect(config.exemptNamespaces).toEqual(['kube-system', 'gravekeeper', 'graves']);
    expect({ ...config, exemptNamespaces: [] }).toEqual({ ...defaultConfig, exemptNamespaces: [] });
  });

  it('reads every key', () => {
    const config = configOf(`
apiVersion: gravekeeper.dev/v1alpha1
kind: Configuration
defaults: {probes: deny, dryRun: true}
allowPodOptIn: false
exemptNamespaces: [openshift-*, infra]
rules:
  erlang-cli: {severity: info, minPeriodSeconds: 60}
  background: {severity: "off"}
tini: {image: registry.example/tini@sha256:00, delivery: image-volume}
argv:
  redis: {entrypoint: [docker-entrypoint.sh], cmd: [redis-server]}
allowedRuntimeClasses: [runc]
allowedControllers: [Rollout.argoproj.io]
excludedControllers: [StatefulSet.apps]
`);
    expect(config).toMatchObject({
      defaults: { probes: 'deny', dryRun: true },
      allowPodOptIn: false,
      exemptNamespaces: ['kube-system', 'gravekeeper', 'graves', 'openshift-*', 'infra'],
      rules: { 'erlang-cli': { severity: 'info', minPeriodSeconds: 60 }, background: { severity: 'off' } },
      tini: { image: 'registry.example/tini@sha256:00', delivery: 'image-volume' },
      allowedControllers: ['Rollout.argoproj.io'],
    });
  });

  it.each([
    ['an unknown key', 'exemptNamespace: [a]', 'exemptNamespace', 1],
    ['an unknown key further down', '\ntini:\n  imgae: x\n', 'tini.imgae', 3],
    ['a value of the wrong kind', 'allowPodOptIn: 3', 'allowPodOptIn', 1],
    ['a value that is none of the known ones', 'defaults:\n  probes: loud', 'defaults.probes', 2],
    [
      'a negative threshold',
      'rules:\n  erlang-cli:\n    minPeriodSeconds: -1',
      'rules.erlang-cli.minPeriodSeconds',
      3,
    ],
    ['a rule that does not exist', 'rules: {erlang: {}}', 'rules.erlang', 1],
    ['an entry of a list', 'exemptNamespaces: [a, 3]', 'exemptNamespaces.1', 1],
    ['another kind of document', 'kind: ConfigMap', 'kind', 1],
  ])('names path and line of %s', (_, text, path, line) => {
    expect(problemsOf(text)).toEqual([expect.objectContaining({ path, line })]);
  });

  it('reports all problems at once', () => {
    expect(
      problemsOf('a: 1\nb: 2\nallowPodOptIn: x')
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['a', 'allowPodOptIn', 'b']);
  });

  it.each(['a: [', 'a: 1\na: 2', '\tx: 1', '- a\n- b', 'just text', '"\\u0000'])(
    'answers %j with a problem',
    (text) => {
      expect(problemsOf(text)).not.toEqual([]);
    },
  );

  it('survives aliases that would expand without end', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 10; level += 1) {
      const previous = `*${String.fromCharCode(96 + level)}`;
      const name = String.fromCharCode(97 + level);
      bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => previous).join(', ')}]`);
    }
    expect(problemsOf(bomb.join('\n'))).not.toEqual([]);
  });
});

describe('isExempt', () => {
  const config = configOf('exemptNamespaces: [openshift-*, infra]');
  it.each([
    ['kube-system', true],
    ['gravekeeper', true],
    ['graves', true],
    ['openshift-dns', true],
    ['infra', true],
    ['infra-2', false],
    ['default', false],
    ['kube-systems', false],
  ])('%s: %s', (namespace, exempt) => {
    expect(isExempt(namespace, config)).toBe(exempt);
  });
});

describe('argvOfImage', () => {
  const config = configOf(`
argv:
  redis: {entrypoint: [any]}
  redis:7: {entrypoint: [seven]}
  docker.io/library/nginx: {cmd: [nginx]}
  host:5000/app: {cmd: [app]}
`);
  it.each([
    ['redis', 'any'],
    ['redis:6', 'any'],
    ['redis:7', 'seven'],
    ['docker.io/library/redis:7', 'seven'],
    ['docker.io/redis:7@sha256:aa', 'seven'],
    ['redis@sha256:aa', 'any'],
  ])('finds %s', (image, entrypoint) => {
    expect(argvOfImage(image, config)?.entrypoint).toEqual([entrypoint]);
  });
  it.each([
    ['nginx:1', ['nginx']],
    ['host:5000/app:1', ['app']],
    ['host:5000/app', ['app']],
  ])('finds %s', (image, cmd) => {
    expect(argvOfImage(image, config)?.cmd).toEqual(cmd);
  });
  it.each(['rediss', 'quay.io/redis', 'host:5000/other', '__proto__', 'constructor'])(
    'does not find %s',
    (image) => {
      expect(argvOfImage(image, config)).toBeNull();
    },
  );
});
