import { maskedWords } from './cmdline.ts';
import type { PodFacts } from './pod-facts.ts';
import type { ProbeInStep } from './report.ts';

/** How far the growth may be from a whole number of zombies for each run of a probe. */
const tolerance = 0.1;
/** A probe that leaves more than this behind is none that anybody has seen. */
const mostPerRun = 20;

/**
 * Finds the exec probe that zombies keep step with: so many more an hour as it runs, or a small multiple of that.
 *
 * @param newPerHour Growth of a group; null where it is not known yet.
 * @param pod The pod that the zombies are in.
 * @param container The container's name, null where any of the pod may be meant.
 * @returns The probe that fits best; of two that fit alike the one that leaves fewer for each run, then the one that
 *   comes first in the pod. Null where none fits. Secrets in its command are masked.
 */
export function probeInStep(
  newPerHour: number | null,
  pod: PodFacts,
  container: string | null,
): ProbeInStep | null {
  if (newPerHour === null || newPerHour <= 0) return null;
  const candidates = pod.containers
    .filter(({ name }) => container === null || name === container)
    .flatMap(({ name, probes }) =>
      probes.flatMap(({ kind, command, periodSeconds }) => {
        const runsPerHour = 3600 / periodSeconds;
        const zombiesPerRun = Math.round(newPerHour / runsPerHour);
        const error = Math.abs(newPerHour - zombiesPerRun * runsPerHour) / newPerHour;
        const fits = zombiesPerRun >= 1 && zombiesPerRun <= mostPerRun && error <= tolerance;
        return fits
          ? [{ probe: { container: name, kind, command, periodSeconds, zombiesPerRun }, error }]
          : [];
      }),
    );
  // Errors that differ by a hundredth are the same: samples are not that exact.
  const rounded = (error: number) => Math.round(error * 100);
  const [best] = candidates.toSorted(
    (a, b) => rounded(a.error) - rounded(b.error) || a.probe.zombiesPerRun - b.probe.zombiesPerRun,
  );
  return best === undefined ? null : { ...best.probe, command: maskedWords(best.probe.command) };
}
