import { EventEmitter, once } from 'node:events';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, vi } from 'vitest';
import { followNamespaces, type RestartCause } from '../../../src/kube/informer.ts';
import type { Namespaces } from '../../../src/kube/namespaces.ts';
import type { Clock } from '../../../src/kube/pace.ts';

export function configOf(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  return config;
}

/** A clock on which waiting between attempts takes no time, and five minutes pass when the test says so. */
function testClock() {
  const waits: number[] = [];
  const long = new Set<() => void>();
  let now = 0;
  const clock: Clock = {
    now: () => now,
    random: () => 0,
    async sleep(ms, signal) {
      if (signal.aborted) return;
      if (ms <= 60_000) {
        waits.push(ms);
        now += ms;
        return;
      }
      await new Promise<void>((resolve) => {
        long.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
  };
  return {
    clock,
    /** How long each attempt waited, in milliseconds. */
    waits,
    /** Lets five minutes pass. */
    elapse() {
      now += 5 * 60_000;
      for (const resolve of long) resolve();
      long.clear();
    },
  };
}

/** Follows the namespaces of a cluster, on a clock of its own. */
export function follow(config: KubeConfig) {
  const { clock, waits, elapse } = testClock();
  const happenings = new EventEmitter();
  const restarts: { cause: RestartCause; detail: string | null }[] = [];
  const namespaces = followNamespaces(
    config,
    {
      listed: (count) => happenings.emit('listed', count),
      restarting: (cause, detail) => {
        restarts.push({ cause, detail });
        happenings.emit('restarting');
      },
    },
    clock,
  );
  return {
    namespaces,
    waits,
    elapse,
    restarts,
    listed: () => once(happenings, 'listed'),
    restarting: () => once(happenings, 'restarting'),
  };
}

export const labels = (value: Readonly<Record<string, string>>) => new Map(Object.entries(value));

/** Waits until a namespace is known with these labels; null for one that is not known. */
export const knows = (namespaces: Namespaces, name: string, value: Readonly<Record<string, string>> | null) =>
  vi.waitFor(() => expect(namespaces.labelsOf(name)).toEqual(value && labels(value)), {
    timeout: 10_000,
    interval: 5,
  });
