import type { Calibration } from "./schema/machine.ts";
import { median } from "./statistics/mod.ts";

/** Work of one repetition. */
export interface Cost {
  readonly flops: number | null;
  readonly bytes: number | null;
}

/** How near a time comes to the measured roof. */
export interface RooflineShare {
  /** Share of the measured matmul rate, 0..1; null without a cost. */
  readonly compute: number | null;
  /** Share of the measured copy bandwidth; may pass 1 where data stays in caches. */
  readonly memory: number | null;
  /** Time the roof allows divided by the time taken. */
  readonly roof: number | null;
  /** Which side of the roof bounds this work. */
  readonly bound: "compute" | "memory" | null;
}

/** Peak rates of a calibration: its fastest samples, since other work can only slow a sample down. */
export function roofOf(calibration: Calibration): { flopsPerNs: number; bytesPerNs: number } {
  return {
    flopsPerNs: Math.max(...calibration.f32FlopsPerSecond) / 1e9,
    bytesPerNs: Math.max(...calibration.copyBytesPerSecond) / 1e9,
  };
}

/**
 * Share of the roofline that a time reaches: what makes times on different GPUs comparable.
 *
 * @param cost Analytic work of one repetition.
 * @param ns Time of one repetition.
 */
export function rooflineShare(cost: Cost, ns: number, calibration: Calibration): RooflineShare {
  const { flopsPerNs, bytesPerNs } = roofOf(calibration);
  const computeNs = cost.flops === null ? null : cost.flops / flopsPerNs;
  const memoryNs = cost.bytes === null ? null : cost.bytes / bytesPerNs;
  if (!(ns > 0) || (computeNs === null && memoryNs === null)) {
    return { compute: null, memory: null, roof: null, bound: null };
  }
  const least = Math.max(computeNs ?? 0, memoryNs ?? 0);
  return {
    compute: computeNs === null ? null : computeNs / ns,
    memory: memoryNs === null ? null : memoryNs / ns,
    roof: least / ns,
    bound: (computeNs ?? 0) >= (memoryNs ?? 0) ? "compute" : "memory",
  };
}

/**
 * Smallest time the arithmetic can take, for `TimedCase.floorNs`. Bytes are left out: a working set
 * that stays in caches may honestly beat the copy bandwidth.
 */
export function rooflineFloorNs(cost: Cost, calibration: Calibration): number {
  return (cost.flops ?? 0) / roofOf(calibration).flopsPerNs;
}

/**
 * The roof to hold a timing against: measured before the tasks of the same session, else the first.
 *
 * @returns null where nothing was calibrated.
 */
export function roofOfSession(
  calibrations: readonly Calibration[],
  session: number,
): Calibration | null {
  return calibrations.find((item) => item.at === "before" && item.session === session) ??
    calibrations[0] ?? null;
}

/** Largest change of the roof over a run that still leaves its timings trustworthy. */
export const CALIBRATION_DRIFT_LIMIT = 0.03;

/** Relative change of the roof from the first calibration to the last. */
export function calibrationDrift(calibrations: readonly Calibration[]): {
  limit: number;
  f32: number | null;
  copy: number | null;
  exceeded: boolean;
} | null {
  const before = calibrations.find((item) => item.at === "before");
  const after = calibrations.findLast((item) => item.at === "after");
  if (!before || !after) return null;
  const change = (from: number[], to: number[]) => median(to) / median(from) - 1;
  const f32 = change(before.f32FlopsPerSecond, after.f32FlopsPerSecond);
  const copy = change(before.copyBytesPerSecond, after.copyBytesPerSecond);
  const exceeded = Math.max(Math.abs(f32), Math.abs(copy)) > CALIBRATION_DRIFT_LIMIT;
  return { limit: CALIBRATION_DRIFT_LIMIT, f32, copy, exceeded };
}
