// npm run fuzz -- [--runs N] [--seed N] — sends generated reviews to a real webhook over TLS and checks every answer.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import fjp, { type Operation } from 'fast-json-patch';
import { stringify } from 'yaml';
import { makeCertificates } from '../../src/commands/certs.ts';
import { isJsonObject, type JsonObject } from '../../src/pod/json.ts';
import { namespaces, type Shot, shots } from './reviews.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
const connections = 16;
const pool = Math.min(runs, 5_000);

/** An answer that breaks a promise; says which, and with what. */
class Broken extends Error {}

const folder = mkdtempSync(join(tmpdir(), 'gravekeeper-fuzz-'));
try {
  process.exitCode = (await fuzz()) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function fuzz(): Promise<boolean> {
  const { ca, cert, key } = await makeCertificates();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const list = Object.entries(namespaces).map(([name, labels]) =>
    stringify({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        labels: Object.fromEntries(
          Object.entries(labels).map(([key, value]) => [`gravekeeper.dev/${key}`, value]),
        ),
      },
    }),
  );
  const args = [
    '--cert',
    file('tls.crt', cert),
    '--key',
    file('tls.key', key),
    '--port',
    '0',
    '--metrics-port',
    '0',
  ];
  const webhook = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../../src/main.js'),
      'webhook',
      ...args,
      ...['--namespaces', file('namespaces.yaml', list.join('---\n')), '--shutdown-delay', '0'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(webhook, 'exit');
  const log = createInterface(webhook.stdout);
  const port = await new Promise<number>((resolve, reject) => {
    webhook.once('exit', (code) => reject(new Error(`the webhook ended with ${code} before it listened`)));
    log.on('line', (line) => {
      const at = /"port":(\d+)/.exec(line)?.[1];
      if (at) resolve(Number(at));
    });
  });
  const agent = new Agent({ ca, keepAlive: true, maxSockets: connections });
  const outcomes = new Map<string, number>();
  const broken: string[] = [];
  const source = shots(seed, pool);
  let sent = 0;
  const shoot = async (): Promise<void> => {
    while (sent < runs && broken.length < 10) {
      sent += 1;
      const shot = source.next().value as Shot;
      try {
        const outcome = await check(shot, (body, path) => post(port, agent, path, body));
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      } catch (error) {
        broken.push(`${String(error)}\n    ${shot.path} ${shot.body.toString().slice(0, 2_000)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, shoot));
  agent.destroy();
  const rss = /^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${webhook.pid}/status`, 'utf8'))?.[1];
  webhook.kill('SIGTERM');
  const [code] = await ended;
  if (code !== 0) broken.push(`the webhook ended with ${code}`);

  const table = [...outcomes].sort().map(([outcome, count]) => `  ${outcome}: ${count}`);
  process.stdout.write(
    `${sent} reviews, seed ${seed}, peak memory ${(Number(rss) / 1024).toFixed(0)} MiB\n${table.join('\n')}\n`,
  );
  for (const text of broken) process.stdout.write(`BROKEN ${text}\n`);
  process.stdout.write(`${sent - broken.length} passed, ${broken.length} failed\n`);
  return broken.length === 0;
}

type Send = (body: string | Buffer, path: string) => Promise<{ status: number; text: string }>;

/** Sends one request and holds the answer against what is promised of every answer. */
async function check(shot: Shot, send: Send): Promise<string> {
  const { status, text } = await send(shot.body, shot.path);
  if (/\bat .*(\.ts|\.js|node:)/.test(text)) throw new Broken(`a stack trace: ${text}`);
  if (status !== 200) {
    if (status < 400 || status > 499) throw new Broken(`status ${status}: ${text}`);
    if (shot.uid !== null) throw new Broken(`a review got ${status}: ${text}`);
    if (text.trim().length < 10 || text.length > 1_000) throw new Broken(`an unhelpful text: ${text}`);
    return `4xx ${status}`;
  }
  const response = responseIn(text);
  if (shot.uid !== null && response.uid !== shot.uid) throw new Broken(`another uid: ${text}`);
  if (typeof response.allowed !== 'boolean') throw new Broken(`neither allowed nor refused: ${text}`);
  checkWarnings(response);
  const annotations = isJsonObject(response.auditAnnotations) ? response.auditAnnotations : {};
  for (const key of Object.keys(annotations)) {
    if (!/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(key)) throw new Broken(`audit key ${key}`);
  }
  if (!response.allowed) {
    if (shot.path !== '/validate') throw new Broken('/mutate refused something');
    return 'refused';
  }
  if (shot.judged && !Object.keys(annotations).some((key) => key.startsWith('remedy.'))) {
    throw new Broken(`nothing is said of a pod that opted in: ${text}`);
  }
  if (typeof response.patch !== 'string')
    return Array.isArray(response.warnings) ? 'allowed, warned' : 'allowed';
  await checkPatch(shot, response.patch, send);
  return 'patched';
}

function responseIn(text: string): JsonObject {
  const review: unknown = JSON.parse(text);
  if (!isJsonObject(review) || review.kind !== 'AdmissionReview' || !isJsonObject(review.response)) {
    throw new Broken(`no AdmissionReview: ${text}`);
  }
  return review.response;
}

function checkWarnings({ warnings = [] }: JsonObject): void {
  if (!Array.isArray(warnings)) throw new Broken('warnings are no list');
  let bytes = 0;
  for (const warning of warnings) {
    if (typeof warning !== 'string' || !/^[\x20-\x7e]{1,120}$/.test(warning))
      throw new Broken(`warning ${warning}`);
    bytes += Buffer.byteLength(warning);
  }
  if (bytes > 4_096) throw new Broken(`${bytes} bytes of warnings`);
}

/** A patch applies cleanly, and the patched pod gets none. */
async function checkPatch(shot: Shot, patch: string, send: Send): Promise<void> {
  if (shot.path !== '/mutate') throw new Broken('/validate sent a patch');
  const review = JSON.parse(shot.body.toString());
  const operations: Operation[] = JSON.parse(Buffer.from(patch, 'base64').toString());
  review.request.object = fjp.applyPatch(review.request.object, operations, true).newDocument;
  const again = responseIn((await send(JSON.stringify(review), shot.path)).text);
  if (again.patch !== undefined)
    throw new Broken(`a second patch ${Buffer.from(String(again.patch), 'base64')}`);
}

function post(
  port: number,
  agent: Agent,
  path: string,
  body: string | Buffer,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const call = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}
