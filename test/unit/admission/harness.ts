import supertest from 'supertest';
import { createApp } from '../../../src/admission/app.ts';
import type { JudgingTools } from '../../../src/admission/judging.ts';
import { createLog } from '../../../src/admission/log.ts';
import { createMetrics } from '../../../src/admission/metrics.ts';
import { type Config, defaultConfig } from '../../../src/config/config.ts';
import { policyOf } from '../../../src/policy/policy.ts';

/** What a test of the app may choose; left out, the namespace opted in and all is well. */
interface Setup {
  /** Labels of the namespace `shop`; no other namespace is known. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly config?: Config;
  readonly ready?: () => boolean;
  readonly tools?: Partial<JudgingTools>;
}

/** The app with the real engine, its log and its metrics. */
export function start({
  labels = { 'gravekeeper.dev/inject': 'auto' },
  config,
  ready = () => true,
  tools,
}: Setup = {}) {
  const lines: string[] = [];
  const metrics = createMetrics({ version: 'test' });
  const app = createApp({
    policyOf: (pod, where) => policyOf(pod, { ...where, config: config ?? defaultConfig }),
    answer: async () => new Map(),
    namespaces: { labelsOf: (name) => (name === 'shop' ? new Map(Object.entries(labels)) : null) },
    log: createLog('info', { write: (line: string) => void lines.push(line) }),
    metrics,
    ready,
    afterwards: (task) => task(),
    ...tools,
  });
  const http = supertest(app);
  return {
    http,
    /** Sends a body as JSON. */
    post: (path: string, body: unknown) =>
      http.post(path).set('content-type', 'application/json').send(text(body)),
    /** The lines of the log, parsed. */
    logged: () => lines.map((line): Record<string, unknown> => JSON.parse(line)),
    /** The lines of the metrics that are not zero. */
    counted: async () =>
      (await metrics.registry.metrics())
        .split('\n')
        .filter((line) => /^gravekeeper_\w+_total/.test(line) && !line.endsWith(' 0')),
  };
}

function text(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

const kinds: Readonly<Record<string, string>> = {
  Deployment: 'apps',
  ReplicaSet: 'apps',
  StatefulSet: 'apps',
  DaemonSet: 'apps',
  Job: 'batch',
  CronJob: 'batch',
};

/** An AdmissionReview about an object of the given kind in the namespace `shop`. */
export function review(kind: string, object: unknown, request: Record<string, unknown> = {}) {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: kinds[kind] ?? '', version: 'v1', kind },
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: { username: 'anna', groups: ['system:authenticated'] },
      object,
      ...request,
    },
  };
}

/** A container with a known argv that may leak. */
export const container = { name: 'app', image: 'shop/app', command: ['python3', 'app.py'] };

/** A probe of severity error where PID 1 does not reap, of severity warning where it does. */
export const deprecatedProbe = { exec: { command: ['rabbitmqctl', 'node_health_check'] }, periodSeconds: 10 };
/** A probe of severity warning, whatever PID 1 does. */
export const costlyProbe = {
  exec: { command: ['rabbitmqctl', 'status'] },
  periodSeconds: 10,
  timeoutSeconds: 10,
};

/** The metadata of a pod that a ReplicaSet made. */
export const ofReplicaSet = {
  generateName: 'web-6d5f-',
  ownerReferences: [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-6d5f', uid: 'u', controller: true },
  ],
};

/** A pod. */
export function pod(containers: readonly unknown[], metadata: object = ofReplicaSet, spec: object = {}) {
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, ...spec } };
}

/** A Deployment with a template. */
export function deployment(containers: readonly unknown[], metadata: object = {}, template: object = {}) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', ...metadata },
    spec: { replicas: 1, template: { metadata: template, spec: { containers } } },
  };
}
