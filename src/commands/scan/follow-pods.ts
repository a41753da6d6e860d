import { describeError } from '../../kube/api-server.ts';
import { followNodePods } from '../../kube/follow-node-pods.ts';
import { openApiServer } from '../../kube/open-api-server.ts';
import { createEventSender, type EventSender } from '../../kube/pod-events.ts';
import type { ScanMetrics } from '../../scanner/formats/metrics.ts';
import { directoryOf, type PodDirectory, type PodFacts, podFacts } from '../../scanner/pod-facts.ts';
import type { ScanReport, ZombieGroup } from '../../scanner/report.ts';
import type { ScanOptions } from '../scan.ts';
import { complain } from './complain.ts';

/** The pods of a node while it is watched. */
export interface FollowedPods {
  /** As far as the API server has told; none where there is no cluster. */
  readonly known: () => PodDirectory;
  /** Takes in what a look found, and sends Events to pods. */
  seen(report: ScanReport): void;
  stop(): Promise<void>;
}

/** What of a report an Event is sent for has to be there for a while: not every child that is slow is a zombie. */
const eventFromSeconds = 60;

/**
 * Follows the pods of the node, and tells them of their zombies.
 *
 * @param node The name of the Node object.
 */
export async function followPods(
  options: ScanOptions,
  node: string,
  metrics: ScanMetrics,
): Promise<FollowedPods> {
  const api = await openApiServer(options.kubeconfig).catch((error: unknown) => {
    complain(`the names of pods will not be known: ${describeError(error)}`);
    return null;
  });
  let pods: Iterable<PodFacts> = [];
  /** Null since they changed: it is made when somebody looks, not for each change of each of them. */
  let directory: PodDirectory | null = null;
  const known = () => {
    directory ??= directoryOf(pods);
    return directory;
  };
  if (api === null) return { known, seen: () => {}, stop: async () => {} };

  let complaint = '';
  const following = followNodePods(api, node, {
    read: podFacts,
    onPods(changed) {
      pods = changed;
      directory = null;
    },
    onAnswer() {
      if (complaint !== '') complain('the pods of this node are listed again');
      complaint = '';
      metrics.podsListed('success');
    },
    onFailure(message) {
      // An API server that is away for an hour is worth one line.
      if (message !== complaint) complain(message);
      complaint = message;
      metrics.podsListed('failure');
    },
  });
  const sender = options.events
    ? createEventSender(api, {
        component: 'gravekeeper-scanner',
        node,
        count: metrics.eventCounted,
      })
    : null;
  return {
    known,
    seen(report) {
      if (sender !== null) sendEvents(report, { sender, directory: known(), from: options.eventFrom });
    },
    async stop() {
      await Promise.all([following.stop(), sender?.stop()]);
    },
  };
}

interface EventSetting {
  readonly sender: EventSender;
  readonly directory: PodDirectory;
  /** Zombies of one group from which an Event is sent. */
  readonly from: number;
}

function sendEvents({ groups }: ScanReport, setting: EventSetting): void {
  for (const group of groups) {
    if (group.count >= setting.from && (group.oldestSeconds ?? 0) >= eventFromSeconds) {
      sendEvent(group, setting);
    }
  }
}

function sendEvent(group: ZombieGroup, { sender, directory }: EventSetting): void {
  const pod = group.podUid === null ? null : directory.byUid(group.podUid);
  if (pod === null) return;
  const { container, kind, certain, count, advice } = group;
  sender.send({
    // kubectl looks the Events of a static pod up by the hash of its configuration.
    pod: { namespace: pod.namespace, name: pod.name, uid: pod.staticHash ?? pod.uid },
    container,
    key: `${container ?? ''}/${kind}`,
    reason: 'ZombieProcesses',
    message: `${count} zombie processes (${kind}${certain ? '' : ', likely'}). ${advice}`,
    type: 'Warning',
  });
}
