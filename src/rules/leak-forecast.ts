const secondsPerHour = 3_600;
const secondsPerDay = 86_400;

/** How fast a probe fills a PID table when nothing reaps what it leaves. */
interface LeakForecast {
  readonly perHour: number;
  readonly perDay: number;
  /** Seconds until so many zombies have gathered; `Infinity` where none do. */
  secondsUntil(pids: number): number;
}

/**
 * Forecasts the zombies of a probe: 3,600 ÷ period × zombies per run in an hour. One zombie every 10 s is
 * 8,640 a day: the 32,768 PIDs of a small node are gone in 3.8 days, the 4,096 that OpenShift allows a pod by
 * default in 11.4 hours. What limits PIDs: https://kubernetes.io/docs/concepts/policy/pid-limiting/.
 *
 * @param probe The seconds between two runs, and the zombies that each run leaves. Fractions are fine: a probe
 *   of which every fourth run leaks one has 0.25 zombies per run.
 */
export function leakForecast(probe: {
  readonly periodSeconds: number;
  readonly zombiesPerRun: number;
}): LeakForecast {
  const perSecond = probe.zombiesPerRun / probe.periodSeconds;
  return {
    perHour: perSecond * secondsPerHour,
    perDay: perSecond * secondsPerDay,
    secondsUntil: (pids) => pids / perSecond,
  };
}
