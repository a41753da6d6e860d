import type { ReasonEntry } from './entry.ts';

/** What is decided on the pod before any container is looked at, in the order in which it is decided. */
export const podReasons = {
  'not-opted-in': {
    silent: true,
    sentence: 'Neither the namespace nor the pod carries the label gravekeeper.dev/inject.',
    advice: 'Label the namespace `gravekeeper.dev/inject: auto`, or one pod template, to opt in.',
    example: `metadata: # of a namespace
  name: shop
  labels: {}
`,
  },
  'opted-out': {
    silent: true,
    sentence: 'The label gravekeeper.dev/inject is "none".',
    advice:
      'Nothing. Remove the label, or choose a strategy, to change it. A label with an unknown ' +
      'value counts as `none` too, and says so with `invalid-label`.',
    example: `metadata: # of a pod or a pod template
  labels:
    gravekeeper.dev/inject: none
`,
  },
  'exempt-namespace': {
    silent: true,
    sentence: 'The namespace is exempt by configuration, which beats every label.',
    advice:
      "Nothing. `kube-system` and Gravekeeper's own namespace are always exempt; others by " +
      '`exemptNamespaces` of the configuration.',
    example: `metadata: # of a pod
  namespace: kube-system
`,
  },
  'pod-opt-in-forbidden': {
    silent: false,
    sentence: 'The pod asks for injection by its own label, which the administrator has forbidden.',
    short: 'pods may not opt in by their own label here; label the namespace',
    advice:
      'Ask for the label on the namespace; `allowPodOptIn: false` keeps pods from opting in by ' +
      'themselves.',
    example: `allowPodOptIn: false # in the configuration
---
metadata: # of a pod whose namespace has no label
  labels:
    gravekeeper.dev/inject: auto
`,
  },
  'mirror-pod': {
    silent: true,
    sentence:
      'A mirror pod only reflects a static pod that the kubelet already runs; changing it ' +
      'changes nothing.',
    advice: "Change the static pod's manifest on the node.",
    example: `metadata: # written by the kubelet
  annotations:
    kubernetes.io/config.mirror: 2f6e5c1c7a0b4e0f9d1c2b3a4d5e6f70
`,
  },
  windows: {
    silent: false,
    sentence: 'Windows has no zombie processes and runs no tini.',
    short: 'left alone: a Windows pod',
    advice: 'Nothing.',
    example: `spec:
  os:
    name: windows
`,
  },
  'foreign-controller': {
    silent: false,
    sentence:
      'The pod belongs to a controller that may compare pods with its template and would ' +
      'recreate it for ever.',
    short: 'left alone: its controller may compare pods; see allowedControllers',
    advice:
      'If the controller does not compare pods with its template, add it to `allowedControllers` ' +
      "(`Rollout.argoproj.io`), or set the pod template's label to `tini` or `share-pid`.",
    example: `metadata: # of a pod
  ownerReferences:
    - apiVersion: nifi.example.com/v1
      kind: NiFi
      name: app
      controller: true
`,
  },
  'host-pid': {
    silent: false,
    sentence:
      'The pod uses the PID namespace of the host, where the container runtime adopts and ' +
      'reaps its orphans.',
    short: 'left alone: in the PID namespace of the host the runtime reaps',
    advice:
      'Nothing: an init inside the container would not be PID 1, and sharing is an error of the ' + 'API.',
    example: `spec:
  hostPID: true
`,
  },
  'sidecar-arrived': {
    silent: false,
    sentence:
      'A second container joined the pod after its PID namespace was shared, so the sharing ' +
      'was taken back.',
    short: 'a second container came, so PID sharing was taken back',
    advice:
      'Set the label `tini`, or give the pod a controller, so that every container can have an ' +
      'init of its own.',
    example: `spec:
  shareProcessNamespace: true # set by Gravekeeper for one container
  containers:
    - name: app
    - name: mesh # added by another webhook since
`,
  },
  'already-shared': {
    silent: true,
    sentence: 'The pod already shares one PID namespace, so pause reaps for it.',
    advice: 'Nothing. Should zombies stay, the pause image of the node does not reap.',
    example: `spec:
  shareProcessNamespace: true
`,
  },
  'runtime-class': {
    silent: false,
    sentence:
      'The runtime class is not configured as safe: sandboxed runtimes manage processes in ' +
      'their own way.',
    short: 'left alone: its runtime class is not in allowedRuntimeClasses',
    advice:
      'If the runtime runs containers as ordinary processes of the node, add the class to ' +
      '`allowedRuntimeClasses`.',
    example: `spec:
  runtimeClassName: gvisor
`,
  },
} as const satisfies Record<string, ReasonEntry>;
