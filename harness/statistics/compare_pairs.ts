import type { PairComparison, Verdict } from "../schema/comparison.ts";
import { equivalenceTest } from "./equivalence.ts";
import { holm } from "./holm.ts";
import { pairedBootstrap, pairedEffects } from "./paired.ts";

/** Significance level after Holm's correction. */
export const SIGNIFICANCE_LEVEL = 0.05;

export interface PairInput {
  readonly id: string;
  readonly metric: string;
  readonly baseline: PairComparison["baseline"];
  readonly candidate: PairComparison["candidate"];
  /** Samples, pair by pair. */
  readonly baselineValues: readonly number[];
  readonly candidateValues: readonly number[];
  readonly scale: "ratio" | "difference";
  readonly better: "lower" | "higher";
  /** Equivalence margin: a difference, or a factor above 1 for ratios (1.05: within 5 %). */
  readonly margin?: number;
}

/**
 * Turns paired samples into comparisons of the result format, corrected together for multiplicity.
 * A verdict needs the corrected p value and the interval to agree.
 */
export function comparePairs(inputs: readonly PairInput[]): PairComparison[] {
  const rough = inputs.map((input) => {
    const { baselineValues, candidateValues, scale, margin } = input;
    if (baselineValues.length === 0) return { input, paired: null, equivalence: null };
    const paired = pairedBootstrap(baselineValues, candidateValues, { scale });
    const effects = pairedEffects(baselineValues, candidateValues, scale);
    const bound = margin === undefined ? null : scale === "ratio" ? Math.log(margin) : margin;
    const test = bound === null ? null : equivalenceTest(effects, bound);
    return {
      input,
      paired,
      equivalence: test && { ...test, margin: margin as number },
    };
  });
  const adjusted = holm(rough.map(({ paired }) => paired?.pValue ?? null));
  return rough.map(({ input, paired, equivalence }, i) => ({
    kind: "pair",
    id: input.id,
    metric: input.metric,
    baseline: input.baseline,
    candidate: input.candidate,
    scale: input.scale,
    estimate: paired?.estimate ?? null,
    interval: paired?.interval ?? null,
    n: paired?.n ?? 0,
    pValue: paired?.pValue ?? null,
    pAdjusted: adjusted[i],
    equivalence,
    verdict: verdict(input, paired, adjusted[i], equivalence?.equivalent ?? false),
    formulaVersion: 1,
  }));
}

function verdict(
  input: PairInput,
  paired: ReturnType<typeof pairedBootstrap> | null,
  pAdjusted: number | null,
  equivalent: boolean,
): Verdict {
  if (paired?.interval && pAdjusted !== null && pAdjusted < SIGNIFICANCE_LEVEL) {
    const neutral = input.scale === "ratio" ? 1 : 0;
    const lower = paired.interval.high < neutral;
    const higher = paired.interval.low > neutral;
    // A difference can be both real and too small to matter; then equivalence is the finding.
    if ((lower || higher) && !equivalent) {
      return lower === (input.better === "lower") ? "better" : "worse";
    }
  }
  return equivalent ? "equivalent" : "inconclusive";
}
