import { linearFit, mean } from "../statistics/mod.ts";
import {
  WARMUP_MAX_MS,
  WARMUP_MAX_RUNS,
  WARMUP_MIN_RUNS,
  WARMUP_TREND_LIMIT,
  WARMUP_WINDOW,
} from "./policy.ts";

/** True when the last runs show no trend: their fitted change is small against their mean. */
export function isStable(samplesNs: readonly number[]): boolean {
  if (samplesNs.length < WARMUP_WINDOW) return false;
  const tail = samplesNs.slice(-WARMUP_WINDOW);
  const centre = mean(tail);
  if (centre === 0) return true;
  const { slope } = linearFit(tail.map((_, i) => i), tail);
  return Math.abs(slope * (WARMUP_WINDOW - 1)) / centre <= WARMUP_TREND_LIMIT;
}

export interface WarmUp {
  /** Every run in order; the first includes pipeline creation. */
  readonly samplesNs: readonly number[];
  readonly stable: boolean;
}

/**
 * Runs one case until its time shows no trend.
 *
 * @param sample Runs the case once and gives its time in ns.
 * @param now Monotonic clock in ms.
 */
export async function warmUp(
  sample: () => Promise<number>,
  now: () => number,
): Promise<WarmUp> {
  const samplesNs: number[] = [];
  const start = now();
  while (samplesNs.length < WARMUP_MAX_RUNS) {
    samplesNs.push(await sample());
    if (samplesNs.length >= WARMUP_MIN_RUNS && isStable(samplesNs)) {
      return { samplesNs, stable: true };
    }
    if (samplesNs.length >= 2 && now() - start > WARMUP_MAX_MS) break;
  }
  return { samplesNs, stable: false };
}
