import type { ReasonEntry } from './entry.ts';

/** What comes of the containers together, and what is told beside a decision. */
export const outcomeReasons = {
  'bare-pod': {
    silent: false,
    sentence:
      'A pod without a controller could not be re-applied with a changed command; its PID ' +
      'namespace is shared instead, where that is safe.',
    short: 'a pod without a controller cannot be re-applied once wrapped',
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
    silent: true,
    sentence: 'The label gravekeeper.dev/inject names this remedy.',
    advice: 'Nothing.',
    example: `metadata:
  labels:
    gravekeeper.dev/inject: tini
`,
  },
  'sharing-refused': {
    silent: false,
    sentence: 'The pod says shareProcessNamespace: false, which auto respects.',
    short: 'left alone: the pod says shareProcessNamespace: false',
    advice: 'Remove `shareProcessNamespace: false`, or set the label `share-pid`, which overrides it.',
    example: `spec:
  shareProcessNamespace: false
`,
  },
  'shares-secrets': {
    silent: false,
    sentence:
      'In a shared PID namespace each container can read the environment and the files of the ' + 'others.',
    short: "containers can now read one another's environment and files",
    advice: 'Prefer the label `tini` or `auto` for pods whose containers should not see one another.',
    example: `metadata: # of a namespace
  labels:
    gravekeeper.dev/inject: share-pid
---
spec:
  containers:
    - name: app
    - name: other
`,
  },
  'per-container': {
    silent: true,
    sentence: 'The containers differ; each carries a reason of its own.',
    advice: 'Look at the reasons of the containers.',
    example: `containers:
  - name: app
    command: [node, server.js] # argv-known
  - name: web
    command: [nginx] # pid1-reaps
`,
  },
  'patch-unsafe': {
    silent: false,
    sentence:
      'The patch would not have applied cleanly or would have clashed with a name or a mount ' +
      'of the pod.',
    short: 'left alone: no free mount path, or a name would clash',
    advice:
      'Free the path `/.gravekeeper`: a volume that is mounted at `/` leaves no room for another ' + 'one.',
    example: `containers:
  - name: app
    command: [node, server.js]
    volumeMounts:
      - name: root
        mountPath: /
`,
  },
  unjudgeable: {
    silent: false,
    sentence: 'Part of the object could not be read; what depends on it was left unchanged.',
    short: 'part of it could not be read and was left unchanged',
    advice:
      'Look at the field that the warning names. The API server would not send such an object; a ' +
      'file may hold one.',
    example: `containers:
  - name: app
    env: none # a word where a list belongs
`,
  },
  'invalid-label': {
    silent: false,
    sentence:
      'A label of Gravekeeper has a value that it does not know; the more careful meaning was ' + 'taken.',
    short: 'a label has an unknown value; the careful meaning was taken',
    advice:
      'Correct the label. Until then `inject` counts as `none`, `probes` as `warn` and `dry-run` ' +
      'as `true`.',
    example: `metadata:
  labels:
    gravekeeper.dev/inject: Auto # with a capital
`,
  },
  'malformed-annotation': {
    silent: false,
    sentence: 'An annotation of Gravekeeper could not be read and was ignored.',
    short: 'an annotation could not be read and was ignored',
    advice: 'Correct the annotation; it is ignored until then.',
    example: `metadata:
  annotations:
    gravekeeper.dev/ignore: erlang=we know # there is no such rule
`,
  },
  'dry-run': {
    silent: false,
    sentence: 'Dry run: this is what would have been done; nothing was changed or refused.',
    short: 'nothing was changed or refused',
    advice: 'Remove the label `gravekeeper.dev/dry-run` to have it done.',
    example: `metadata: # of a namespace
  labels:
    gravekeeper.dev/inject: auto
    gravekeeper.dev/dry-run: "true"
`,
  },
} as const satisfies Record<string, ReasonEntry>;
