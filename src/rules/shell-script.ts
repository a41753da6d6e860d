import { findProgram, unseenScript } from './programs.ts';
import type { Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { shown } from './wording.ts';

/** A script file, whose text is not part of the pod. */
export const shellScriptRule: Rule = {
  id: 'shell-script',
  title: 'A probe runs a shell script from the image, whose content cannot be seen here.',
  why:
    'What the script starts decides whether the probe leaks or burns CPU, and its text is not part of the pod. ' +
    'A script is also the parent of what it starts: killed at timeoutSeconds, it orphans its children.',
  notes: [
    "MinIO's `healthcheck.sh` left a hundred zombies in one container, and File Browser's did the " +
      'same years later. Both were small scripts that looked harmless from outside. Whether yours leaks ' +
      'cannot be told from the pod, so this is never more than a hint.',
  ],
  fires: [
    'Where a probe runs a file whose name ends in `.sh`, directly or through a shell, or ' +
      '`docker-healthcheck`. There are no thresholds. Scripts that another rule knows (`zkServer.sh`, ' +
      '`kafka-topics.sh`, an entrypoint that passes on to `rabbitmqctl` …) are left to that rule, at ' +
      'whatever interval.',
  ],
  instead:
    'Look into the script for what the other rules find. End it with exec, give the probe a comfortable ' +
    'timeoutSeconds, or use httpGet, tcpSocket or grpc.',
  example: {
    before: `livenessProbe:
  exec:
    command: [/usr/bin/healthcheck.sh]
  timeoutSeconds: 5
`,
    after: `livenessProbe:
  httpGet:
    path: /healthz
    port: 8080
  timeoutSeconds: 5
`,
  },
  severityClass: 'unseen',
  defaults: {},
  sources: [
    'https://github.com/minio/minio/issues/5514',
    'https://github.com/containerd/containerd/issues/4255',
    'https://github.com/filebrowser/filebrowser/issues/3844',
  ],
  check(context) {
    const script = findProgram(context.command, unseenScript);
    if (!script) return null;
    return {
      severity: severityOf('unseen', context),
      message: `${shown(script.name)} cannot be seen here: what it starts may ${context.pid1 === 'reaps' ? 'cost CPU' : 'leak'}`,
      fix: 'check what the script starts and end it with exec, or use httpGet, tcpSocket or grpc',
      zombiesPerRun: null,
    };
  },
};
