import { leakForecast } from './leak-forecast.ts';
import type { ProbeInContext } from './rule.ts';

/** A count for people: `8,640`. From a million on it is rounded; what no real probe reaches has a power of ten. */
export function count(value: number): string {
  if (value < 1e6) return grouped(value);
  for (const [unit, name] of [
    [1e6, 'million'],
    [1e9, 'billion'],
  ] as const) {
    const text = rounded(value / unit, value < 10 * unit ? 1 : 0);
    if (Number(text) < 1000) return `${text} ${name}`;
  }
  return value.toExponential(0);
}

/** A number of seconds as people write it in YAML: `10`, `2.5`. */
export function seconds(value: number): string {
  return value < 1e9 ? rounded(value, 2) : value.toExponential(0);
}

// Intl.NumberFormat would do the same, and load 9 MiB of ICU into the webhook and the scanner.
function grouped(value: number): string {
  return value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A number with at most so many digits behind the point. */
function rounded(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** A word of a stranger, safe to show: no control characters, and cut to a length in UTF-16 units. */
export function shown(word: string, maxLength = 24): string {
  const printable = word.replace(/[\p{C}\p{Z}]/gu, '?');
  if (printable.length <= maxLength) return printable;
  // A surrogate pair that the cut would halve goes as a whole.
  return `${printable.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** `leaks` of a PID 1 that is known not to reap, `may leak` of any other that is not known to. */
export function leaks({ pid1 }: Pick<ProbeInContext, 'pid1'>): 'leaks' | 'may leak' {
  return pid1 === 'leaks' ? 'leaks' : 'may leak';
}

/**
 * The size of a leak: `8,640 zombies a day`; for a startup probe, which ends with its first success,
 * `1 zombie per run`.
 */
export function leakSize({ probe }: Pick<ProbeInContext, 'probe'>, zombiesPerRun: number): string {
  if (probe.kind === 'startup')
    return `${zombiesPerRun} ${zombiesPerRun === 1 ? 'zombie' : 'zombies'} per run`;
  return `${count(leakForecast({ periodSeconds: probe.periodSeconds, zombiesPerRun }).perDay)} zombies a day`;
}

/** `every 10 s`: how often the probe runs. */
export function interval({ probe }: Pick<ProbeInContext, 'probe'>): string {
  return `every ${seconds(probe.periodSeconds)} s`;
}
