import { fusedLeapAttention, naiveLeapAttention, referenceLeap } from "../../attention/mod.ts";
import { normalAt } from "../../engine/mod.ts";
import { makeAudit, relativeError } from "../../harness/audits/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { LeapBenchConfig } from "./config.ts";

const HEADS = 2;
/** Largest error of the focused values, relative to their root mean square, that the shipped kernel may have. */
export const NUMERICS_THRESHOLD = 1e-5;

/** The two ways to a windowed sum that the audit compares. */
const FORMS = [
  { name: "segmented", text: "fused kernel, no cancellation" },
  { name: "difference", text: "difference of two running sums, as in the source" },
] as const;

/**
 * Error of the focused values g against float64 at one length, for every window and both ways to a windowed sum. The query is zero, so
 * the gate is exactly one half and the output shows g itself.
 */
export async function runNumericsTask(
  context: TaskContext,
  config: LeapBenchConfig,
  T: number,
): Promise<void> {
  const { gpu } = context;
  const { windows, headWidth: d } = config.numerics!;
  const size = T * 4 * HEADS * d;
  const host = new Float32Array(size);
  const seed = context.seed(`numerics/${T}`);
  for (let i = 0; i < size; i++) {
    const slot = Math.floor(i / (HEADS * d)) % 4;
    if (slot > 0) host[i] = normalAt(seed, 0, i);
  }
  const packed = gpu.tensor(host, [1, T, 4, HEADS, d]).keep();
  const variant = "2022-08";
  // Windows over T are all global: one row is enough for them.
  const distinct = [...new Set(windows.map((w) => Math.min(w, T)))];
  try {
    for (const [i, window] of distinct.entries()) {
      context.signal.throwIfAborted();
      const reference = referenceLeap({ packed: host, B: 1, T, H: HEADS, d, variant, window });
      const want = reference.focused.map((g) => g / 2);
      for (const { name, text } of FORMS) {
        const got = await gpu.scope(() =>
          gpu.readFloats(
            name === "segmented"
              ? fusedLeapAttention(packed, { variant, window })
              : naiveLeapAttention(packed, { variant, window, windowSum: "difference" }),
          )
        );
        const evidence = relativeError(got, want);
        const broken = got.slice();
        broken[broken.length >> 1] += 1e-3;
        context.record({
          variant: name,
          params: { T, window },
          implementation: { form: name === "segmented" ? "fused" : "naive", label: "linear" },
          metrics: [{
            metric: "relative-error",
            unit: "1",
            value: Number.isFinite(evidence.statistic) ? evidence.statistic : null,
            better: "lower",
            n: evidence.n,
          }],
          notes: [text],
        });
        if (name !== "segmented") continue;
        context.audit(makeAudit({
          id: "numerics",
          subject: `leap-${variant}, T ${T}, window ${window === T ? "global" : window}`,
          evidence,
          threshold: NUMERICS_THRESHOLD,
          canaries: [relativeError(broken, want)],
          compared:
            "focused values of the fused kernel against float64, worst error relative to their RMS",
        }));
      }
      context.progress((i + 1) / distinct.length, `T ${T}, window ${window}`);
    }
  } finally {
    packed.dispose();
  }
}
