/**
 * Durations as milliseconds, made by functions that name their unit, so that no bare number has to be
 * guessed at where it is used.
 */

/** A span of time in milliseconds. */
export type Milliseconds = number;

export const seconds = (n: number): Milliseconds => n * 1000;
export const minutes = (n: number): Milliseconds => n * 60_000;
export const hours = (n: number): Milliseconds => n * 3_600_000;

/** Milliseconds since 1970. Injected wherever time matters, so that tests own it. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();

/** A span as people write it: `90 s` becomes `1 min 30 s`. Parts below one second are dropped from longer spans. */
export function describeDuration(span: Milliseconds): string {
  if (span < 1000) return `${Math.round(span)} ms`;
  const parts: string[] = [];
  let rest = Math.floor(span / 1000);
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(' ');
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;
