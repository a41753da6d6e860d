import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/config.ts';
import {
  defaultImagesConfig,
  hostSettingsOf,
  imagesSchema,
  matchesHost,
} from '../../../src/config/images.ts';

const context = { ruleIds: [] };
const pem = '-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n';

describe('images in the configuration file', () => {
  it('reads every key', () => {
    const outcome = parseConfig(
      `
images:
  registries: [registry.example:5000, '*.example', '[2001:db8::1]:5000']
  hosts:
    registry.example:5000: {privateAddress: true, plainHttp: true, skipTlsVerify: true, tokenHosts: [auth.example]}
    '*.cdn.example':
      ca: |
        ${pem.trim().replaceAll('\n', '\n        ')}
  mirrors: {docker.io: mirror.example/hub, quay.io/team: mirror.example:5000}
  ca: "${pem.replaceAll('\n', '\\n')}"
  architecture: arm64
  deadlineSeconds: 0.5
  cache: {tagSeconds: 0, failureSeconds: 5, maxBytes: 1000}
`,
      context,
    );
    expect(outcome).toMatchObject({
      config: {
        images: {
          registries: ['registry.example:5000', '*.example', '[2001:db8::1]:5000'],
          hosts: {
            'registry.example:5000': { privateAddress: true, plainHttp: true, skipTlsVerify: true },
            '*.cdn.example': { privateAddress: false, ca: pem },
          },
          mirrors: { 'docker.io': 'mirror.example/hub', 'quay.io/team': 'mirror.example:5000' },
          architecture: 'arm64',
          deadlineSeconds: 0.5,
          cache: { tagSeconds: 0, failureSeconds: 5, maxBytes: 1000 },
        },
      },
    });
  });

  it.each([
    ['images: {registry: []}', 'images.registry'],
    ['images: {registries: [https://quay.io]}', 'images.registries.0'],
    ['images: {registries: [quay.io/team]}', 'images.registries.0'],
    ['images: {registries: ["*.*"]}', 'images.registries.0'],
    ['images: {registries: ["a.*.example"]}', 'images.registries.0'],
    ['images: {hosts: {"*": {privateAddress: true}}}', 'images.hosts.*'],
    ['images: {hosts: {quay.io: {insecure: true}}}', 'images.hosts.quay.io.insecure'],
    ['images: {ca: /etc/ssl/ca.crt}', 'images.ca'],
    ['images: {mirrors: {docker.io: https://mirror.example}}', 'images.mirrors.docker.io'],
    ['images: {deadlineSeconds: 3}', 'images.deadlineSeconds'],
    ['images: {deadlineSeconds: 0}', 'images.deadlineSeconds'],
    ['images: {cache: {tagSeconds: -1}}', 'images.cache.tagSeconds'],
    ['images: {architecture: linux/amd64}', 'images.architecture'],
  ])('refuses %s', (text, path) => {
    const outcome = parseConfig(text, context);
    expect('problems' in outcome && outcome.problems.map((problem) => problem.path)).toEqual([path]);
  });
});

describe('matchesHost', () => {
  it.each([
    ['quay.io', 'quay.io'],
    ['QUAY.io', 'quay.io'],
    ['quay.io:443', 'quay.io'],
    ['quay.io', 'quay.io:443'],
    ['a.example', '*.example'],
    ['a.b.example', '*.example'],
    ['r.example:5000', 'r.example:5000'],
    ['anything:1', '*'],
  ])('%s is one of %s', (host, pattern) => {
    expect(matchesHost(host, [pattern])).toBe(true);
  });

  it.each([
    ['quay.io', 'docker.io'],
    ['evilquay.io', 'quay.io'],
    ['quay.io.evil', 'quay.io'],
    ['example', '*.example'],
    ['.example', '*.example'],
    ['evilexample', '*.example'],
    ['a.example:5000', '*.example'],
    ['r.example', 'r.example:5000'],
    ['r.example:80', 'r.example'],
  ])('%s is none of %s', (host, pattern) => {
    expect(matchesHost(host, [pattern])).toBe(false);
  });
});

describe('hostSettingsOf', () => {
  it('takes a name before a pattern, and the longer pattern', () => {
    const config = imagesSchema.parse({
      hosts: {
        '*.example': { tokenHosts: ['a'] },
        '*.r.example': { tokenHosts: ['b'] },
        'x.r.example': { tokenHosts: ['c'] },
      },
    });
    const of = (host: string) => hostSettingsOf(host, config).tokenHosts[0];
    expect([of('z.example'), of('z.r.example'), of('x.r.example'), of('other')]).toEqual([
      'a',
      'b',
      'c',
      undefined,
    ]);
  });

  it('allows nothing that is not said', () => {
    expect(hostSettingsOf('quay.io', defaultImagesConfig)).toEqual({
      privateAddress: false,
      plainHttp: false,
      skipTlsVerify: false,
      tokenHosts: [],
    });
  });
});
