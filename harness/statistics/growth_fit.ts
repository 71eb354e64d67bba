import type { Comparison } from "../schema/comparison.ts";
import { fitPowerLaw } from "./fit.ts";

/** What is fitted, and its points. */
export interface GrowthFitInput {
  readonly variant: string;
  /** Metric or timed phase on the y axis. */
  readonly metric: string;
  /** Name of the x axis. */
  readonly x: string;
  /** Points; those with a missing value or one that is not above 0 are left out. */
  readonly points: readonly (readonly [number | undefined, number | undefined])[];
  /** Distinguishes fits of one variant and metric. */
  readonly id?: string;
}

/** Growth exponent of a cost over a sweep; nothing for fewer than three points. */
export function growthFit({ variant, metric, x, points, id }: GrowthFitInput): Comparison[] {
  const usable = points.filter((p): p is [number, number] =>
    p.every((value) => value !== undefined && value > 0)
  );
  if (usable.length < 3) return [];
  const { exponent, coefficient, interval, rSquared, n } = fitPowerLaw(
    usable.map(([a]) => a),
    usable.map(([, b]) => b),
  );
  return [{
    kind: "fit",
    id: (id ?? `growth-${metric}-${x}-${variant}`).replaceAll(" ", "-"),
    variant,
    metric,
    x,
    form: "power-law",
    exponent,
    interval,
    coefficient,
    rSquared,
    n,
    formulaVersion: 1,
  }];
}
