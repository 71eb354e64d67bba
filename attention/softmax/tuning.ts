import {
  type Candidate,
  log2Bucket,
  type Tunable,
  type Workspace,
} from "../../engine/autotune/candidate.ts";
import {
  type AdapterInfo,
  type Gpu,
  kernelSource,
  type Tensor,
  uniformAt,
} from "../../engine/mod.ts";
import { keyGradientKernel, queryGradientKernel, rowDotKernel } from "./kernels_backward.ts";
import { forwardKernel } from "./kernels_forward.ts";
import type { AttentionProblem, GradientOffsets } from "./kernels_problem.ts";
import { type AttentionVariant, directRows } from "./variants.ts";

/** A way to split the fused kernels' work. */
export interface AttentionCandidate extends Candidate<AttentionProblem> {
  /** The variant at head width d. */
  readonly variant: (d: number) => AttentionVariant;
}

function candidate(
  name: string,
  variant: (d: number) => AttentionVariant,
): AttentionCandidate {
  return {
    name,
    variant,
    dispatch: (gpu, problem, tensors) => dispatchStep(gpu, problem, variant(problem.d), tensors),
  };
}

/** What a tuner needs to know of fused attention. A candidate is timed on forward and backward together. */
export const attentionTunable: Tunable<AttentionProblem, AttentionCandidate> = {
  name: "softmax_attention",
  candidates: [
    candidate("direct", (d) => ({ family: "direct", rows: directRows(d) })),
    candidate("direct wide", (d) => ({ family: "direct", rows: 2 * directRows(d) })),
    candidate("staged 32", () => ({ family: "staged", rows: 32 })),
    candidate("staged 64", () => ({ family: "staged", rows: 64 })),
  ],
  defaultFor: (info: AdapterInfo) => info.class === "hardware" ? "staged 32" : "direct",
  bucketOf: ({ B, H, Tq, Tk, d, causal }) =>
    `d${d} t${log2Bucket(Math.max(Tq, Tk))} h${log2Bucket(B * H)}${causal ? " causal" : ""}`,
  prepare,
  source: () =>
    attentionTunable.candidates.flatMap(({ variant }) => {
      const problem = plainProblem({ B: 1, H: 1, Tq: 64, Tk: 64, d: 32, causal: true, scale: 1 });
      const offsets = { q: 0, k: 0, v: 0 };
      return [
        forwardKernel(problem, variant(32)),
        queryGradientKernel(problem, variant(32), offsets),
        keyGradientKernel(problem, variant(32), offsets),
      ].map(kernelSource);
    }).join("\n"),
};

/** The variants worth timing at head width d, in the order of `attentionTunable.candidates`. */
export function candidateVariants(d: number): AttentionVariant[] {
  return attentionTunable.candidates.map(({ variant }) => variant(d));
}

/** Sizes of a self-attention call to tune for. */
export interface AttentionSize {
  readonly B: number;
  readonly H: number;
  readonly T: number;
  readonly d: number;
  /** @default {false} */
  readonly causal?: boolean;
}

/** The plain call of these sizes, for tuning. */
export function attentionSizeProblem(
  { B, H, T, d, causal = false }: AttentionSize,
): AttentionProblem {
  return plainProblem({ B, H, Tq: T, Tk: T, d, causal, scale: 1 / Math.sqrt(d) });
}

type PlainSizes = Pick<AttentionProblem, "B" | "H" | "Tq" | "Tk" | "d" | "causal" | "scale">;

/** The same sizes with separate tensors, without mask or dropout. */
function plainProblem({ B, H, Tq, Tk, d, causal, scale }: PlainSizes): AttentionProblem {
  const layout = (T: number) => ({ offset: 0, row: H * d, batch: T * H * d });
  const layouts = { q: layout(Tq), k: layout(Tk), v: layout(Tk) };
  return { B, H, Tq, Tk, d, causal, scale, masked: false, ...layouts };
}

/** Tensors in the order q, k, v, dO, O, lse, rowDot, gradients. */
function prepare(gpu: Gpu, { B, H, Tq, Tk, d }: AttentionProblem): Workspace {
  const random = (T: number, stream: number) =>
    gpu.tensor(
      Float32Array.from({ length: B * T * H * d }, (_, i) => 2 * uniformAt(0, stream, i) - 1),
      [B, T, H, d],
      "workspace",
    );
  const output = gpu.empty([B * H * d * (Tq + 2 * Tk)], "f32", "workspace");
  const tensors = [
    random(Tq, 1),
    random(Tk, 2),
    random(Tk, 3),
    random(Tq, 4),
    gpu.empty([B, Tq, H, d], "f32", "workspace"),
    gpu.empty([B, H, Tq], "f32", "workspace"),
    gpu.empty([B, H, Tq], "f32", "workspace"),
    output,
  ];
  return { tensors, output };
}

function dispatchStep(
  gpu: Gpu,
  problem: AttentionProblem,
  variant: AttentionVariant,
  [q, k, v, gradient, o, lse, rowDot, gradients]: readonly Tensor[],
): void {
  const plain = plainProblem(problem);
  const offsets: GradientOffsets = { q: 0, k: q.size, v: q.size + k.size };
  gpu.run(forwardKernel(plain, variant), [q, k, v, o, lse]);
  gpu.run(rowDotKernel(plain), [o, gradient, rowDot]);
  const tensors = [q, k, v, gradient, lse, rowDot, gradients];
  gpu.run(queryGradientKernel(plain, variant, offsets), tensors);
  gpu.run(keyGradientKernel(plain, variant, offsets), tensors);
}
