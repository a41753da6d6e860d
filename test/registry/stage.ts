import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type Certificates, makeCertificates } from '../../src/commands/certs.ts';
import type { Container } from './containers.ts';
import { type ImageConfig, Layout, makeRoot, push } from './layout.ts';
import {
  basicAuth,
  type MeddlingProxy,
  type Server,
  startProxy,
  startRegistry,
  startTokenServer,
  type TokenServer,
  user,
} from './servers.ts';
import { startTestWebhook, type Webhook } from './webhook.ts';

/** Images that are pushed to each registry, by name. */
export const images: Readonly<Record<string, ImageConfig>> = {
  'exec-form': { Entrypoint: ['/bin/report', 'from the image'] },
  'shell-form': { Entrypoint: ['/bin/sh', '-c', 'exec report "$0" "$HOME" $(echo hello)'] },
  'cmd-only': { Cmd: ['report', 'a b', ''] },
  both: { Entrypoint: ['/bin/report', '-x'], Cmd: ['one', 'two'] },
  'empty-entrypoint': { Entrypoint: [''], Cmd: ['report'] },
  dollars: {
    Entrypoint: ['report', '$(A)', '$$(A)', '$$', '$'],
    Cmd: ['$A', '$[A]', '$(', '$(NOT_SET)', 'a$'],
  },
  'not-root': {
    Entrypoint: ['report'],
    User: '1000',
    WorkingDir: '/srv/data',
    Env: ['PATH=/bin', 'IMAGE=set'],
  },
  'named-root': { Entrypoint: ['report'], User: 'root' },
  server: { Entrypoint: ['server'], Cmd: ['--flag'] },
  'server-not-root': { Entrypoint: ['server'], Cmd: ['--flag'], User: '1000:1000' },
  orphans: { Entrypoint: ['/bin/orphans'] },
  nothing: {},
};

/** Images of which a registry holds more than one, or in another way. */
export const variants = {
  'arm64-only': { Cmd: ['report', 'arm'] },
  index: { Cmd: ['report', 'amd'] },
  'docker-types': { Entrypoint: ['/bin/report', '-x'], Cmd: ['one', 'two'] },
} satisfies Readonly<Record<string, ImageConfig>>;

export const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-registry-'));
export const servers: { close(): Promise<void> }[] = [];
export const containers: Container[] = [];
export let certificates: Certificates;
export let root: string;
export let layout: Layout;
export let open: Server;
export let basic: Server;
export let token: Server;
export let tokens: TokenServer;
export let proxy: MeddlingProxy;

/** Has a server closed in the end. */
export const opened = <T extends { close(): Promise<void> }>(server: T): T => {
  servers.push(server);
  return server;
};
const credentials = `${user.name}:${user.password}`;

before(async () => {
  certificates = await makeCertificates();
  root = makeRoot(folder);
  layout = new Layout(folder, root);
  for (const [name, config] of Object.entries(images)) layout.image(name, config);
  layout.image('arm64-only', variants['arm64-only'], 'arm64');
  layout.index('index', { arm64: variants['arm64-only'], amd64: variants.index });
  layout.image('docker-types', variants['docker-types']);
  open = opened(await startRegistry('open', { folder, certificates }));
  basic = opened(await startRegistry('basic', { folder, certificates, auth: basicAuth(folder) }));
  tokens = opened(await startTokenServer(folder, certificates));
  token = opened(await startRegistry('token', { folder, certificates, auth: tokens.auth }));
  proxy = opened(await startProxy(open, certificates));
  for (const name of Object.keys(images)) await push(layout, name, `${open.host}/team/${name}:v1`);
  await push(layout, 'arm64-only', `${open.host}/team/arm64-only:v1`);
  await push(layout, 'index', `${open.host}/team/index:v1`, { all: true });
  await push(layout, 'docker-types', `${open.host}/team/docker-types:v1`, { format: 'v2s2' });
  await push(layout, 'both', `${open.host}/team/schema1:v1`, { format: 'v2s1' });
  await push(layout, 'both', `${basic.host}/team/private:v1`, { credentials });
  await push(layout, 'both', `${token.host}/team/private:v1`, { credentials });
  await push(layout, 'both', `${token.host}/public/app:v1`, { credentials });
});

after(async () => {
  for (const container of containers) container.remove();
  for (const server of servers.reverse()) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the configuration says of the test's hosts: all of them are on this machine. */
export function imagesConfig(more: object = {}): object {
  const hosts = [open, basic, token, proxy].map(({ host }) => host);
  const allowed = (host: string) => [
    host,
    { privateAddress: true, tokenHosts: host === token.host ? [tokens.host] : [] },
  ];
  return {
    registries: hosts,
    ca: certificates.ca,
    hosts: Object.fromEntries([...hosts, tokens.host].map(allowed)),
    deadlineSeconds: 2.5,
    ...more,
  };
}

/** Starts a webhook that may ask the test's registries. */
export async function webhookWith(more: object = {}, api?: Server): Promise<Webhook> {
  return opened(
    await startTestWebhook({ folder, certificates, images: imagesConfig(more), ...(api ? { api } : {}) }),
  );
}
