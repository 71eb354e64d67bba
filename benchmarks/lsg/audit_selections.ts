import {
  type LsgPattern,
  referenceLsg,
  type ReferenceLsgFault,
  type SparsityType,
} from "../../attention/mod.ts";
import {
  auditCausality,
  auditDeterminism,
  auditGradients,
  auditParity,
  makeAudit,
  type NamedPair,
  relativeError,
  worstOf,
} from "../../harness/audits/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import { attentionValues, drawQkv, keyMaskOf, upstreamOf } from "./attention_case.ts";
import { type SelectionCase, selectionCases } from "./audit_cases.ts";
import { PARITY_THRESHOLD } from "./audit_variants.ts";

/** Largest error of the fused output against `referenceLsg`, relative to its RMS. */
export const REFERENCE_THRESHOLD = 1e-4;

/** One selection type in every way of using it: fused against naive, against `referenceLsg`, causality, gradients, determinism. */
export async function auditSelection(context: TaskContext, type: SparsityType): Promise<void> {
  const seed = context.seed(`audit/${type}`);
  const cases = selectionCases(type);
  const pairs: NamedPair[] = [];
  const judged: { at: SelectionCase; qkv: Float32Array; got: Float32Array }[] = [];
  for (const [i, at] of cases.entries()) {
    context.signal.throwIfAborted();
    const { given, pattern } = at;
    const qkv = drawQkv(given, seed, i);
    const got = await attentionValues(context, { kind: "lsg", ...pattern }, given, qkv, seed);
    const naive = { kind: "lsg", form: "naive", ...pattern } as const;
    const want = await attentionValues(context, naive, given, qkv, seed);
    for (const key of ["output", "gradient"] as const) {
      pairs.push({ name: `${key} (${at.name})`, got: got[key], want: want[key] });
    }
    judged.push({ at, qkv, got: got.output });
    context.progress(0.7 * (i + 1) / cases.length, at.name);
  }
  const subject = `lsg ${type}`;
  const parity = auditParity({ subject, pairs, threshold: PARITY_THRESHOLD });
  context.audit({ ...parity, detail: shortDetail(parity.detail, pairs.length) });
  auditReference(context, type, judged);
  await auditCausal(context, type, seed);
  await auditSlopes(context, type, seed);
  const { given, pattern } = cases[1];
  context.audit(
    await auditDeterminism({
      subject,
      run: async () => {
        const dropout = { p: 0.2, seed: 3, stream: 1 };
        const values = await attentionValues(
          context,
          { kind: "lsg", ...pattern },
          { ...given, dropout },
          drawQkv(given, seed),
          seed,
        );
        return [...values.output, ...values.gradient];
      },
    }),
  );
}

/** A pattern changed in one of three ways that a kernel could get wrong. The last needs a selection that pools. */
const FAULTS: readonly ReferenceLsgFault[] = [
  "window-off-by-one",
  "globals-twice",
  "masked-group-visible",
];

/** The fused output against f64, and the same comparison with faults planted in the reference, each of which must go red. */
function auditReference(
  context: TaskContext,
  type: SparsityType,
  judged: readonly { at: SelectionCase; qkv: Float32Array; got: Float32Array }[],
): void {
  const against = (fault?: ReferenceLsgFault) =>
    worstOf(judged.map(({ at, qkv, got }) => {
      const { B, N, H, d } = at.given;
      const input = { B, H, T: N - at.pattern.globals, d, keyMask: keyMaskOf(at.given), fault };
      return relativeError(got, referenceLsg(qkv, at.pattern, input));
    }));
  const pools = type === "pooling" || type === "bos_pooling";
  const faults = FAULTS.filter((fault) => pools || fault !== "masked-group-visible");
  context.audit(makeAudit({
    id: "numerics",
    subject: `lsg ${type}`,
    evidence: against(),
    threshold: REFERENCE_THRESHOLD,
    canaries: faults.map(against),
    compared:
      `fused output against float64 loops in ${judged.length} cases, error relative to the RMS; planted in the loops: ${
        faults.join(", ")
      }`,
  }));
}

/** No text output of the causal form may depend on a later token, over several blocks. */
async function auditCausal(context: TaskContext, type: SparsityType, seed: number): Promise<void> {
  const pattern = causalPattern(type);
  const given = { name: "causal", B: 2, N: 1 + 21, H: 2, d: 6 };
  const table = drawQkv({ ...given, B: 1, N: 16 }, seed, 7);
  const row = 3 * given.H * given.d;
  context.audit(
    await auditCausality({
      subject: `lsg ${type}`,
      batch: given.B,
      length: given.N - 1,
      vocabulary: 15,
      seed,
      forward: async (tokens) => {
        // Row 15 of the table is the global; the others are the tokens.
        const qkv = new Float32Array(given.B * given.N * row);
        for (let b = 0; b < given.B; b++) {
          for (let n = 0; n < given.N; n++) {
            const id = n === 0 ? 15 : tokens[b * (given.N - 1) + n - 1];
            qkv.set(table.subarray(id * row, (id + 1) * row), (b * given.N + n) * row);
          }
        }
        const { output } = await attentionValues(
          context,
          { kind: "lsg", ...pattern },
          given,
          qkv,
          seed,
        );
        const width = given.H * given.d;
        const text = new Float32Array(given.B * (given.N - 1) * width);
        for (let b = 0; b < given.B; b++) {
          const at = (b * given.N + 1) * width;
          text.set(
            output.subarray(at, at + (given.N - 1) * width),
            b * (given.N - 1) * width,
          );
        }
        return text;
      },
    }),
  );
}

/** Gradient of a weighted sum of the output against finite differences; the choice of keys has none, and small steps keep it. */
async function auditSlopes(context: TaskContext, type: SparsityType, seed: number): Promise<void> {
  const pattern: LsgPattern = { ...causalPattern(type), causal: false };
  const given = { name: "slopes", B: 1, N: 1 + 19, H: 2, d: 4, valid: [1 + 17] };
  const values = (qkv: Float32Array) =>
    attentionValues(context, { kind: "lsg", ...pattern }, given, qkv, seed);
  const weights = upstreamOf(given, seed);
  context.audit(
    await auditGradients({
      subject: `lsg ${type}`,
      parameters: drawQkv(given, seed, 11),
      seed,
      step: 1e-3,
      loss: async (qkv) => {
        const { output } = await values(qkv);
        return output.reduce((sum, y, i) => sum + y * weights[i], 0);
      },
      gradient: async (qkv) => (await values(qkv)).gradient,
    }),
  );
}

function causalPattern(sparsityType: SparsityType): LsgPattern {
  return {
    ...{ globals: 1, blockSize: 4, sparseBlockSize: 4, sparsityFactor: 2, sparsityType },
    causal: true,
  };
}

function shortDetail(detail: string, pairs: number): string {
  return detail.length < 300
    ? detail
    : `fused against naive, ${pairs} outputs and gradients ${
      detail.slice(detail.indexOf("(worst:"))
    }`;
}
