import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { pathOf } from './obstacles.ts';

/** The config of an image, as far as the tests set it. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
}

/** A document with its digest. */
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: object;
  readonly annotations?: object;
}

const applets = ['sh', 'cat', 'env', 'id', 'pwd', 'sleep', 'sort', 'tail', 'tr', 'true', 'grep', 'wc', 'ls'];

/** Writes down how it was started, and ends with 7. */
const report = `#!/bin/sh
tr '\\0' '\\n' < /proc/$$/cmdline
echo --
tr '\\0' '\\n' < /proc/$$/environ | sort
echo --
pwd
id -u
grep -E '^(Sig(Blk|Ign)|NoNewPrivs|Cap)' /proc/self/status
exit 7
`;

/** Says that it is ready, and ends with 9 when it is told to. */
const server = `#!/bin/sh
trap 'echo "got TERM"; exit 9' TERM
echo "ready $*"
while :; do sleep 0.05 & wait $!; done
`;

/** Leaves three orphans behind, and turns into a program that never waits. */
const orphans = `#!/bin/sh
(for one in 1 2 3; do sleep 0.05 & done)
echo ready
exec tail -f /dev/null
`;

/** The root file system of every image: busybox, and a few programs that tell what happens to them. */
export function makeRoot(folder: string): string {
  const root = join(folder, 'root');
  for (const name of ['bin', 'proc', 'dev', 'tmp', 'srv/data', 'gravekeeper', 'etc']) {
    mkdirSync(join(root, name), { recursive: true });
  }
  copyFileSync(pathOf('busybox'), join(root, 'bin/busybox'));
  chmodSync(join(root, 'bin/busybox'), 0o755);
  for (const applet of applets) symlinkSync('busybox', join(root, 'bin', applet));
  for (const [name, text] of Object.entries({ report, server, orphans })) {
    writeFileSync(join(root, 'bin', name), text, { mode: 0o755 });
  }
  return root;
}

/** An OCI layout, which skopeo reads. */
export class Layout {
  readonly path: string;
  readonly #manifests: Descriptor[] = [];
  readonly #layer: Descriptor;
  readonly #diffId: string;

  constructor(folder: string, root: string) {
    this.path = join(folder, 'layout');
    mkdirSync(join(this.path, 'blobs/sha256'), { recursive: true });
    writeFileSync(join(this.path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    const { stdout: tar, status } = spawnSync('tar', ['-C', root, '-c', '.'], {
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new Error('tar failed');
    this.#diffId = digestOf(tar);
    this.#layer = this.#blob(gzipSync(tar), 'application/vnd.oci.image.layer.v1.tar+gzip');
  }

  /** Adds an image of one platform under a name. */
  image(name: string, config: ImageConfig, architecture = 'amd64'): void {
    this.#name(this.#image(config, architecture), name);
  }

  /** Adds an index of images by architecture, with an attestation for each as BuildKit writes them. */
  index(name: string, configs: Readonly<Record<string, ImageConfig>>): void {
    const manifests = Object.entries(configs).flatMap(([architecture, config]) => {
      const image = this.#image(config, architecture);
      const statement = this.#blob(Buffer.from('{}'), 'application/vnd.in-toto+json');
      const none = this.#json(
        {
          os: 'unknown',
          architecture: 'unknown',
          config: {},
          rootfs: { type: 'layers', diff_ids: [statement.digest] },
        },
        'application/vnd.oci.image.config.v1+json',
      );
      const attestation = this.#manifest(none, [statement]);
      return [
        { ...attestation, platform: { os: 'unknown', architecture: 'unknown' } },
        { ...image, platform: { os: 'linux', architecture } },
      ];
    });
    const type = 'application/vnd.oci.image.index.v1+json';
    this.#name(this.#json({ schemaVersion: 2, mediaType: type, manifests }, type), name);
  }

  #image(config: ImageConfig, architecture: string): Descriptor {
    const document = {
      os: 'linux',
      architecture,
      config,
      rootfs: { type: 'layers', diff_ids: [this.#diffId] },
      history: [{ created_by: 'test' }],
    };
    return this.#manifest(this.#json(document, 'application/vnd.oci.image.config.v1+json'), [this.#layer]);
  }

  #manifest(config: Descriptor, layers: readonly Descriptor[]): Descriptor {
    const type = 'application/vnd.oci.image.manifest.v1+json';
    return this.#json({ schemaVersion: 2, mediaType: type, config, layers }, type);
  }

  #name(descriptor: Descriptor, name: string): void {
    this.#manifests.push({ ...descriptor, annotations: { 'org.opencontainers.image.ref.name': name } });
    writeFileSync(
      join(this.path, 'index.json'),
      JSON.stringify({ schemaVersion: 2, manifests: this.#manifests }),
    );
  }

  #json(document: object, mediaType: string): Descriptor {
    return this.#blob(Buffer.from(JSON.stringify(document)), mediaType);
  }

  #blob(bytes: Buffer, mediaType: string): Descriptor {
    const digest = digestOf(bytes);
    writeFileSync(join(this.path, 'blobs/sha256', digest.slice('sha256:'.length)), bytes);
    return { mediaType, digest, size: bytes.length };
  }
}

/** How an image is brought to a registry. */
interface PushOptions {
  readonly format?: 'oci' | 'v2s2' | 'v2s1';
  /** The whole index, not one image of it. */
  readonly all?: boolean;
  readonly credentials?: string;
}

/** Runs skopeo beside this process, which serves tokens and forwards requests meanwhile. */
const run = promisify(execFile);

/** Pushes an image of a layout with skopeo. */
export async function push(
  layout: Layout,
  name: string,
  to: string,
  { format, all, credentials }: PushOptions = {},
): Promise<void> {
  const options = [
    ...(format ? ['--format', format] : []),
    ...(all ? ['--all'] : []),
    ...(credentials ? ['--dest-creds', credentials] : []),
  ];
  const words = ['copy', '--insecure-policy', '--dest-tls-verify=false', ...options];
  await run('skopeo', [...words, `oci:${layout.path}:${name}`, `docker://${to}`], { timeout: 60_000 });
}

/** The digest that skopeo sees behind a reference. */
export async function digestIn(reference: string): Promise<string> {
  const words = ['inspect', '--tls-verify=false', '--raw', `docker://${reference}`];
  const { stdout } = await run('skopeo', words, { encoding: 'buffer', timeout: 60_000 });
  return digestOf(stdout);
}

function digestOf(bytes: string | Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
