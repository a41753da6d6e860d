import { homedir } from 'node:os';
import { join } from 'node:path';

const state = '/var/tmp/gravekeeper-cluster';

/** Where everything of the cluster lies: fixed, so that any shell finds it. There is one cluster on a machine. */
export const place = {
  /** Removed when the cluster goes down. */
  state,
  owner: join(state, 'owner.json'),
  stage: join(state, 'stage.json'),
  /** What of the machine itself has to be put back. */
  machine: join(state, 'machine.json'),
  pki: join(state, 'pki'),
  logs: join(state, 'logs'),
  kubeconfigs: join(state, 'kubeconfigs'),
  /** For the administrator. */
  kubeconfig: join(state, 'kubeconfigs/admin'),
  etcd: join(state, 'etcd'),
  containerd: join(state, 'containerd'),
  /** Configuration of containerd, the kubelet and CNI. */
  node: join(state, 'node'),
  /** What the kubelet runs without being told by the API server. */
  staticPods: join(state, 'node/static-pods'),
  /** What is applied. */
  install: join(state, 'install'),
  images: join(state, 'images'),
  /** For what programs leave behind that are killed. */
  temporary: join(state, 'tmp'),
} as const;

/** The cgroup, in every hierarchy, that each process of the cluster is in or below. */
export const cgroup = 'gravekeeper-cluster';

/** Where programs are kept that took long to build. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gravekeeper-cluster');

export const nodeName = 'node-1';
export const nodeAddress = '10.99.0.1';
/** Of the Service kubernetes.default, by which pods find the API server. */
export const apiServiceAddress = '10.96.0.1';
/** Nobody answers there. */
export const clusterDnsAddress = '10.96.0.10';
export const serviceRange = '10.96.0.0/16';
export const podRange = '10.88.0.0/16';
export const containerdSocket = '/run/containerd/containerd.sock';
