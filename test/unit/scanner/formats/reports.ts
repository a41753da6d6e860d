import fc from 'fast-check';
import {
  type LimitUse,
  limitScopes,
  type Parent,
  type RemedyCheck,
  type ScanReport,
  type ZombieGroup,
  zombieKinds,
} from '../../../../src/scanner/report.ts';

const containerId = '3f4a'.repeat(16);
const podUid = '0b5f2c1e-7a57-4c8e-9d3e-1f2a3b4c5d6e';

export const parent: Parent = {
  pid: 4711,
  comm: 'sleep',
  cmdline: 'sleep infinity',
  isPid1: true,
  ancestors: [
    { pid: 1, comm: 'systemd' },
    { pid: 812, comm: 'containerd-shim' },
  ],
};

/** Zombies of a probe in `shop/web-1`. */
export function groupWith(fields: Partial<ZombieGroup> = {}): ZombieGroup {
  return {
    count: 300,
    kind: 'orphan',
    certain: true,
    oldestSeconds: 12_000,
    newPerHour: 90,
    parent,
    container: 'app',
    containerId,
    pod: 'web-1',
    podUid,
    namespace: 'shop',
    owner: 'Deployment/web',
    labels: { app: 'web' },
    fixableBy: 'init',
    advice: 'PID 1 (sleep (PID 4711)) adopted them and never waits. It needs an init.',
    evidence: 'own-cgroup',
    probe: null,
    comms: ['timeout', 'sh'],
    pids: [5001, 5002, 5003, 5004, 5005],
    ...fields,
  };
}

/** Zombies in a place of which nothing is known. */
export function unknownGroup(fields: Partial<ZombieGroup> = {}): ZombieGroup {
  return groupWith({
    count: 2,
    kind: 'unreaped-child',
    certain: false,
    oldestSeconds: null,
    newPerHour: null,
    parent: null,
    container: null,
    containerId: null,
    pod: null,
    podUid: null,
    namespace: null,
    owner: null,
    labels: null,
    fixableBy: 'app',
    advice: 'Their parent is not visible from here.',
    evidence: null,
    comms: ['make'],
    pids: [77, 78],
    ...fields,
  });
}

/** A limit that belongs to the node. */
export function nodeLimit(
  scope: 'pid_max' | 'threads-max' | 'kubepods',
  used: number,
  limit: number,
): LimitUse {
  return {
    scope,
    podUid: null,
    namespace: null,
    pod: null,
    containerId: null,
    container: null,
    used,
    limit,
    newPerHour: null,
    secondsToExhaustion: null,
  };
}

/** The `pids.max` of `shop/web-1`, used up in 3 h 20 min. */
export function podLimit(fields: Partial<LimitUse> = {}): LimitUse {
  return {
    scope: 'pod',
    podUid,
    namespace: 'shop',
    pod: 'web-1',
    containerId: null,
    container: null,
    used: 812,
    limit: 1024,
    newPerHour: 90,
    secondsToExhaustion: 12_000,
    ...fields,
  };
}

export function remedyCheck(fields: Partial<RemedyCheck> = {}): RemedyCheck {
  return {
    namespace: 'shop',
    pod: 'cart-0',
    podUid,
    owner: 'StatefulSet/cart',
    remedy: 'tini',
    works: true,
    message: 'No zombies under its tini.',
    ...fields,
  };
}

/** A report whose zombies are those of its groups. */
export function reportWith(fields: Partial<ScanReport> = {}): ScanReport {
  return {
    schemaVersion: 1,
    node: 'node-1',
    time: '2026-11-20T03:00:00.000Z',
    pids: { used: 1102, limit: 32_768, limitedBy: 'pid_max', secondsToExhaustion: null, unreadable: 0 },
    zombies: (fields.groups ?? []).reduce((sum, { count }) => sum + count, 0),
    groups: [],
    limits: [nodeLimit('pid_max', 1102, 32_768)],
    remedies: [],
    notes: [],
    ...fields,
  };
}

/** A report whose forecast is that of the pod limit. */
export function reportOfLeak(fields: Partial<ScanReport> = {}): ScanReport {
  return reportWith({
    pids: { used: 812, limit: 1024, limitedBy: 'pod', secondsToExhaustion: 12_000, unreadable: 0 },
    groups: [groupWith()],
    limits: [podLimit(), nodeLimit('pid_max', 1102, 32_768)],
    ...fields,
  });
}

const nasty = fc.constantFrom(
  '\x1b[31mred\x1b[0m',
  '\x1b]0;title\x07',
  'two\nlines\r',
  '\x9b31m',
  'user\u202etxt.exe\u2066',
  'line\u2028and\u2029paragraph',
  '\ud800',
  '\udfff|`"\\',
  '<script>alert(1)</script>',
  '{namespace="x"} 1',
  'tag\u{e0041}\ufeff\u200b',
  'nul\0del\x7f\x85',
);

/** What a stranger may call a process, or write into its command line. */
export const hostileText = fc.oneof(
  nasty,
  fc.string({ unit: 'binary' }),
  fc.array(nasty).map((all) => all.join(' ')),
);

const amount = fc.nat(100_000);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const growth = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const seconds = fc.double({ min: 0, max: 1e10, noNaN: true });
const treeProcess = { pid: amount, comm: hostileText };

const anyGroup: fc.Arbitrary<ZombieGroup> = fc.record({
  count: fc.integer({ min: 1, max: 100_000 }),
  kind: fc.constantFrom(...zombieKinds),
  certain: fc.boolean(),
  oldestSeconds: maybe(seconds),
  newPerHour: maybe(growth),
  parent: maybe(
    fc.record({
      ...treeProcess,
      cmdline: maybe(hostileText),
      isPid1: maybe(fc.boolean()),
      ancestors: fc.array(fc.record(treeProcess), { maxLength: 3 }),
    }),
  ),
  container: maybe(hostileText),
  containerId: maybe(hostileText),
  pod: maybe(hostileText),
  podUid: maybe(hostileText),
  namespace: maybe(hostileText),
  owner: maybe(hostileText),
  labels: maybe(fc.dictionary(hostileText, hostileText, { maxKeys: 2 })),
  fixableBy: fc.constantFrom('init', 'app', 'runtime'),
  advice: hostileText,
  evidence: fc.constant(null),
  probe: maybe(
    fc.record({
      container: hostileText,
      kind: fc.constantFrom('liveness', 'readiness', 'startup'),
      command: fc.array(hostileText, { maxLength: 3 }),
      periodSeconds: fc.integer({ min: 1, max: 3600 }),
      zombiesPerRun: fc.integer({ min: 1, max: 20 }),
    }),
  ),
  comms: fc.array(hostileText, { maxLength: 5 }),
  pids: fc.array(amount, { maxLength: 5 }),
});

const anyLimit: fc.Arbitrary<LimitUse> = fc.record({
  scope: fc.constantFrom(...limitScopes),
  podUid: maybe(hostileText),
  namespace: maybe(hostileText),
  pod: maybe(hostileText),
  containerId: maybe(hostileText),
  container: maybe(hostileText),
  used: amount,
  limit: amount,
  newPerHour: maybe(growth),
  secondsToExhaustion: maybe(seconds),
});

/** Any report, also one that no scan would make. */
export const anyReport: fc.Arbitrary<ScanReport> = fc.record({
  schemaVersion: fc.constant(1 as const),
  node: maybe(hostileText),
  time: fc.oneof(fc.constant('2026-11-20T03:00:00.000Z'), hostileText),
  pids: fc.record({
    used: maybe(amount),
    limit: maybe(amount),
    limitedBy: maybe(fc.constantFrom(...limitScopes)),
    secondsToExhaustion: maybe(seconds),
    unreadable: amount,
  }),
  zombies: amount,
  groups: fc.array(anyGroup, { maxLength: 4 }),
  limits: fc.array(anyLimit, { maxLength: 4 }),
  remedies: fc.array(
    fc.record({
      namespace: hostileText,
      pod: hostileText,
      podUid: hostileText,
      owner: hostileText,
      remedy: fc.constantFrom('tini', 'share-pid'),
      works: maybe(fc.boolean()),
      message: hostileText,
    }),
    { maxLength: 4 },
  ),
  notes: fc.array(hostileText, { maxLength: 3 }),
});
