import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeconfigOf } from './control-plane.ts';
import { pauseImage } from './images.ts';
import { kubectl } from './kubectl.ts';
import {
  cgroup,
  clusterDnsAddress,
  containerdSocket,
  nodeAddress,
  nodeName,
  place,
  podRange,
} from './place.ts';
import { attempt } from './run.ts';
import { inside, lastLines, pidOf, startInside } from './stage.ts';
import { containerdFolder, tool } from './tools.ts';
import { eventually } from './wait.ts';

/** Processes and threads that a pod may have; a leak fills that in seconds. */
export const podPidsLimit = 150;

/** Where Debian's containernetworking-plugins are. */
export const cniPlugins = '/usr/lib/cni';

const containerdConfig = join(place.node, 'containerd.toml');
const kubeletConfig = join(place.node, 'kubelet.json');
const cniFolder = join(place.node, 'cni');

/** Starts containerd, and resolves when it answers. */
export async function startContainerd(): Promise<void> {
  mkdirSync(cniFolder, { recursive: true });
  writeFileSync(join(cniFolder, '10-bridge.conflist'), JSON.stringify(network));
  writeFileSync(containerdConfig, containerdToml());
  // It looks for its shim on the PATH.
  const path = `PATH=${containerdFolder}:${process.env.PATH}`;
  startInside('containerd', ['env', path, tool('containerd'), '--config', containerdConfig]);
  await eventually('containerd', () => {
    if (pidOf('containerd') === null) throw new Error(lastLines('containerd'));
    return attempt(inside([tool('ctr'), 'version'], 'network and mounts')).status === 0;
  });
}

/** Every pod has an address on a bridge, by which the API server reaches it and it reaches the API server. */
const network = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'pods',
      isGateway: true,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: podRange }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
  ],
};

/** Its root is in memory, where an overlay can be mounted whatever the machine's file system is. */
function containerdToml(): string {
  const unused = ['blockfile', 'btrfs', 'devmapper', 'erofs', 'zfs'].map(
    (name) => `io.containerd.snapshotter.v1.${name}`,
  );
  return `
version = 3
root = ${JSON.stringify(place.containerd)}
disabled_plugins = ${JSON.stringify([...unused, 'io.containerd.nri.v1.nri'])}
[grpc]
  address = "${containerdSocket}"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "${pauseImage}"
[plugins.'io.containerd.cri.v1.runtime']
  # Without CAP_SYS_RESOURCE no sandbox would start.
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["${cniPlugins}"]
    conf_dir = ${JSON.stringify(cniFolder)}
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

/**
 * The kubelet keeps to its own cgroup, so that it leaves those of other tests alone. It does not watch the machine's
 * disk, which others fill. Whoever is in its network may ask it anything: nothing but this cluster is.
 */
const kubelet = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: 'AlwaysAllow' },
  containerRuntimeEndpoint: `unix://${containerdSocket}`,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${cgroup}`,
  failCgroupV1: false,
  failSwapOn: false,
  oomScoreAdj: 0,
  evictionHard: { 'memory.available': '0%', 'nodefs.available': '0%', 'imagefs.available': '0%' },
  imageGCHighThresholdPercent: 100,
  // There is no DNS; but without an address each pod gets a warning.
  clusterDNS: [clusterDnsAddress],
  clusterDomain: 'cluster.local',
  resolvConf: '',
  staticPodPath: place.staticPods,
  fileCheckFrequency: '1s',
  syncFrequency: '10s',
  configMapAndSecretChangeDetectionStrategy: 'Watch',
  podPidsLimit,
  maxPods: 250,
  kubeAPIQPS: 500,
  kubeAPIBurst: 1000,
  eventRecordQPS: 0,
};

/** Starts the kubelet, and resolves when its node is ready. */
export async function startKubelet(): Promise<void> {
  mkdirSync(place.staticPods, { recursive: true });
  writeFileSync(kubeletConfig, JSON.stringify(kubelet));
  launchKubelet();
  await eventually('the node', () => {
    if (pidOf('kubelet') === null) throw new Error(lastLines('kubelet'));
    const jsonpath = '{.status.conditions[?(@.type=="Ready")].status}';
    return kubectl('get', 'node', nodeName, '-o', `jsonpath=${jsonpath}`) === 'True';
  });
}

function launchKubelet(): void {
  startInside('kubelet', [
    tool('kubelet'),
    `--config=${kubeletConfig}`,
    `--kubeconfig=${kubeconfigOf('kubelet')}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${nodeAddress}`,
  ]);
}

/** Names the CNI plugins that are missing. */
export function missingPlugins(): string[] {
  return ['bridge', 'host-local', 'loopback'].filter((name) => !existsSync(join(cniPlugins, name)));
}
