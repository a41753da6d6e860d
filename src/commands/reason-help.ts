import type { Reason } from '../reasons.ts';

/** What `explain` says of a reason beyond its sentence. */
export interface ReasonHelp {
  /** What its author may do about it; docs/reasons.md says the same. */
  readonly advice: string;
  /** An excerpt of a manifest, or of the configuration, that leads to it. */
  readonly example: string;
}

export const reasonHelp: Readonly<Record<Reason, ReasonHelp>> = {
  'not-opted-in': {
    advice: 'Label the namespace `gravekeeper.dev/inject: auto`, or one pod template, to opt in.',
    example: `metadata: # of a namespace
  name: shop
  labels: {}
`,
  },
  'opted-out': {
    advice:
      'Nothing. Remove the label, or choose a strategy, to change it. A label with an unknown value ' +
      'counts as `none` too, and says so with `invalid-label`.',
    example: `metadata: # of a pod or a pod template
  labels:
    gravekeeper.dev/inject: none
`,
  },
  'exempt-namespace': {
    advice:
      "Nothing. `kube-system` and Gravekeeper's own namespace are always exempt; others by " +
      '`exemptNamespaces` of the configuration.',
    example: `exemptNamespaces: # of the configuration
  - istio-system
`,
  },
  'pod-opt-in-forbidden': {
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
    advice: "Change the static pod's manifest on the node.",
    example: `metadata: # written by the kubelet
  annotations:
    kubernetes.io/config.mirror: 4f1c8a0e5b7d
`,
  },
  windows: {
    advice: 'Nothing.',
    example: `spec:
  os:
    name: windows
`,
  },
  'foreign-controller': {
    advice:
      'If the controller does not compare pods with its template, add it to `allowedControllers` ' +
      "(`Rollout.argoproj.io`), or set the pod template's label to `tini` or `share-pid`.",
    example: `metadata:
  ownerReferences:
    - apiVersion: postgresql.cnpg.io/v1
      kind: Cluster
      name: orders
      controller: true
`,
  },
  'host-pid': {
    advice: 'Nothing: an init inside the container would not be PID 1, and sharing is an error of the API.',
    example: `spec:
  hostPID: true
`,
  },
  'sidecar-arrived': {
    advice:
      'Set the label `tini`, or give the pod a controller, so that every container can have an init of ' +
      'its own.',
    example: `spec:
  shareProcessNamespace: true # set by Gravekeeper for one container
  containers:
    - name: app
    - name: mesh-proxy # added by another webhook since
`,
  },
  'already-shared': {
    advice: 'Nothing. Should zombies stay, the pause image of the node does not reap.',
    example: `spec:
  shareProcessNamespace: true
`,
  },
  'runtime-class': {
    advice:
      'If the runtime runs containers as ordinary processes of the node, add the class to ' +
      '`allowedRuntimeClasses`.',
    example: `spec:
  runtimeClassName: gvisor
`,
  },
  'needs-pid-1': {
    advice: 'Nothing: s6-overlay, systemd and runit reap by themselves.',
    example: `containers:
  - name: app
    command: [/init] # s6-overlay
`,
  },
  'skip-container': {
    advice: 'Nothing. Remove the name from the annotation to have the container judged again.',
    example: `metadata:
  annotations:
    gravekeeper.dev/skip-containers: app,proxy
`,
  },
  'already-injected': {
    advice: 'Nothing. If the copier or its volume was removed or moved in between, they are put back.',
    example: `containers:
  - name: app
    command: [/.gravekeeper/tini, -s, --]
    args: [node, server.js]
`,
  },
  'already-init': {
    advice: 'Nothing.',
    example: `containers:
  - name: app
    command: [dumb-init, --, node, server.js]
`,
  },
  'pid1-reaps': {
    advice: 'Nothing.',
    example: `containers:
  - name: app
    command: [nginx, -g, daemon off;]
`,
  },
  'uid-change': {
    advice:
      'Add the capability `KILL`, or run the container as the user that the program needs, with ' +
      '`allowPrivilegeEscalation: false`. Background: krallin/tini issue 9.',
    example: `containers:
  - name: app
    command: [gosu, redis, redis-server]
    securityContext:
      capabilities:
        drop: [ALL]
        add: [SETUID, SETGID]
`,
  },
  'uses-pid-1': {
    advice: 'Let the hook or probe find the program in another way: `pidof`, a PID file, an HTTP endpoint.',
    example: `containers:
  - name: app
    command: [java, -jar, app.jar]
    lifecycle:
      preStop:
        exec:
          command: [jcmd, "1", GC.run]
`,
  },
  'localhost-profile': {
    advice:
      'If the profile allows one more executable, set the label `share-pid`, or start the image with an ' +
      'init of its own.',
    example: `containers:
  - name: app
    securityContext:
      seccompProfile:
        type: Localhost
        localhostProfile: profiles/strict.json
`,
  },
  'tini-env': {
    advice: 'Remove the variables, or start tini in the image.',
    example: `containers:
  - name: app
    command: [node, server.js]
    env:
      - name: TINI_KILL_PROCESS_GROUP
        value: "1"
`,
  },
  'shell-not-exec': {
    advice:
      "Write `exec` before the last command (`sh -c 'exec node server.js'`), or trap TERM and forward " +
      'it. The label `tini` wraps it all the same.',
    example: `containers:
  - name: app
    command: [sh, -c, "./migrate; node server.js"]
    # better: [sh, -c, "./migrate; exec node server.js"]
`,
  },
  'argv-unknown': {
    advice:
      'Set `command` in the pod, or say ENTRYPOINT and CMD in the annotation `gravekeeper.dev/argv` or ' +
      'in `argv` of the configuration.',
    example: `containers:
  - name: app
    image: registry.example/shop:1 # and no command
`,
  },
  'argv-known': {
    advice: 'Nothing: tini is injected.',
    example: `containers:
  - name: app
    command: [node, server.js]
`,
  },
  'bare-pod': {
    advice: 'Let a Deployment or a Job create the pod. The label `tini` wraps it all the same.',
    example: `apiVersion: v1
kind: Pod # applied as such, by no controller
spec:
  containers:
    - name: app
      command: [node, server.js]
`,
  },
  'chosen-by-label': {
    advice: 'Nothing.',
    example: `metadata:
  labels:
    gravekeeper.dev/inject: tini
`,
  },
  'sharing-refused': {
    advice: 'Remove `shareProcessNamespace: false`, or set the label `share-pid`, which overrides it.',
    example: `spec:
  shareProcessNamespace: false
`,
  },
  'shares-secrets': {
    advice: 'Prefer the label `tini` or `auto` for pods whose containers should not see one another.',
    example: `metadata:
  labels:
    gravekeeper.dev/inject: share-pid
spec:
  containers:
    - name: app
    - name: exporter
`,
  },
  'per-container': {
    advice: 'Look at the reasons of the containers.',
    example: `containers:
  - name: app
    command: [node, server.js] # argv-known
  - name: web
    command: [nginx, -g, daemon off;] # pid1-reaps
`,
  },
  'patch-unsafe': {
    advice: 'Free the path `/.gravekeeper`: a volume that is mounted at `/` leaves no room for another one.',
    example: `containers:
  - name: app
    command: [node, server.js]
    volumeMounts:
      - name: everything
        mountPath: /
`,
  },
  unjudgeable: {
    advice:
      'Look at the field that the warning names. The API server would not send such an object; a file ' +
      'may hold one.',
    example: `containers:
  - name: app
    command: node server.js # a string where a list belongs
`,
  },
  'invalid-label': {
    advice:
      'Correct the label. Until then `inject` counts as `none`, `probes` as `warn` and `dry-run` as ' +
      '`true`.',
    example: `metadata:
  labels:
    gravekeeper.dev/inject: "yes"
`,
  },
  'malformed-annotation': {
    advice: 'Correct the annotation; it is ignored until then.',
    example: `metadata:
  annotations:
    gravekeeper.dev/ignore: erlang-cli # expected <rule>=<why>
`,
  },
  'dry-run': {
    advice: 'Remove the label `gravekeeper.dev/dry-run` to have it done.',
    example: `metadata: # of a namespace
  labels:
    gravekeeper.dev/inject: auto
    gravekeeper.dev/dry-run: "true"
`,
  },
};
