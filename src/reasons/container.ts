import type { ReasonEntry } from './entry.ts';

/** What is decided on one container, in the order in which it is decided. */
export const containerReasons = {
  'needs-pid-1': {
    silent: false,
    sentence: 'The container starts an init that refuses to run as anything but PID 1.',
    short: 'left alone: it starts an init that must be PID 1',
    advice: 'Nothing: s6-overlay, systemd and runit reap by themselves.',
    example: `containers:
  - name: app
    command: [/init] # s6-overlay
`,
  },
  'skip-container': {
    silent: true,
    sentence: 'The annotation gravekeeper.dev/skip-containers names the container.',
    advice: 'Nothing. Remove the name from the annotation to have the container judged again.',
    example: `metadata:
  annotations:
    gravekeeper.dev/skip-containers: app
`,
  },
  'already-injected': {
    silent: true,
    sentence: 'Gravekeeper has already put tini in front of the command.',
    advice: 'Nothing. If the copier or its volume was removed or moved in between, they are put back.',
    example: `containers:
  - name: app
    command: [/.gravekeeper/tini, -s, --]
    args: [node, server.js]
`,
  },
  'already-init': {
    silent: true,
    sentence: 'The command already starts an init that reaps, such as tini or dumb-init.',
    advice: 'Nothing.',
    example: `containers:
  - name: app
    command: [tini, --, node, server.js]
`,
  },
  'pid1-reaps': {
    silent: true,
    sentence: 'The program reaps adopted children itself when it runs as PID 1.',
    advice: 'Nothing.',
    example: `containers:
  - name: app
    command: [nginx, -g, daemon off;]
`,
  },
  'uid-change': {
    silent: false,
    sentence:
      'The command may change its user ID in a way that would leave tini without permission to ' +
      'signal it.',
    short: 'left alone: it may change user; add the capability KILL',
    advice:
      'Add the capability `KILL`, or run the container as the user that the program needs, with ' +
      '`allowPrivilegeEscalation: false`. Background: krallin/tini issue 9.',
    example: `containers:
  - name: app
    command: [node, server.js]
    securityContext:
      capabilities:
        drop: [ALL] # and the image may start as root
`,
  },
  'uses-pid-1': {
    silent: false,
    sentence: 'A hook, probe or argument relies on the program being PID 1, which it would no longer be.',
    short: 'a hook, probe or argument relies on it being PID 1',
    advice:
      'Let the hook or probe find the program in another way: `pidof`, a PID file, an HTTP ' + 'endpoint.',
    example: `containers:
  - name: app
    livenessProbe:
      exec:
        command: [sh, -c, "jcmd 1 VM.uptime"]
`,
  },
  'localhost-profile': {
    silent: false,
    sentence:
      'A Localhost seccomp or AppArmor profile, whose content is not visible here, may forbid ' + 'tini.',
    short: 'left alone: its Localhost profile may forbid tini',
    advice:
      'If the profile allows one more executable, set the label `share-pid`, or start the image ' +
      'with an init of its own.',
    example: `spec:
  securityContext:
    seccompProfile:
      type: Localhost
      localhostProfile: app.json
`,
  },
  'tini-env': {
    silent: false,
    sentence:
      'The container sets TINI_* variables of its own, which would change how the injected ' +
      'tini behaves.',
    short: 'left alone: its TINI_* variables would change tini',
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
    silent: false,
    sentence:
      'A shell may stay the parent of the program: tini would signal the shell, which dies at ' +
      'once and takes the program with it. Write exec before the last command.',
    short: 'a shell would not pass TERM on; write exec before the last command',
    advice:
      "Write `exec` before the last command (`sh -c 'exec node server.js'`), or trap TERM and " +
      'forward it. The label `tini` wraps it all the same.',
    example: `containers:
  - name: app
    command: [bash, -c, "node server.js; true"]
    # better: [bash, -c, "exec node server.js"]
`,
  },
  'argv-unknown': {
    silent: false,
    sentence: 'The command line is not known: the pod sets no command and the image was not looked up.',
    short: 'left alone: set its command, or annotate gravekeeper.dev/argv',
    advice:
      'Set `command` in the pod, or say ENTRYPOINT and CMD in the annotation ' +
      '`gravekeeper.dev/argv` or in `argv` of the configuration.',
    example: `containers:
  - name: app
    image: registry.example/shop:1 # and no command
`,
  },
  'argv-known': {
    silent: true,
    sentence: 'The command line is known and nothing speaks against tini.',
    advice: 'Nothing: tini is injected.',
    example: `containers:
  - name: app
    command: [node, server.js]
`,
  },
} as const satisfies Record<string, ReasonEntry>;
