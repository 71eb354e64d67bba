import { loopWorkgroup } from "../../engine/ops/loop_workgroup.ts";
import type { Tensor } from "../../engine/mod.ts";
import type { SelectedSlots } from "../block_sparse/attention.ts";
import { cachedTensor, type SparseProblem, textLength } from "../block_sparse/problem.ts";
import { vectorsPerRow } from "../softmax/kernels_problem.ts";
import {
  bucketKernel,
  centroidWeightKernel,
  followKernel,
  visibleWeightKernel,
} from "./kernels/lsh.ts";
import { keyNormKernel, normRankKernel, pickKernel } from "./kernels/pick.ts";
import {
  bosGradientKernel,
  bosQueryCombineKernel,
  bosQueryPartKernel,
  bosWeightKernel,
  meanWeightKernel,
  type Pooling,
  poolKernel,
  slotsOf,
  unpoolKernel,
} from "./kernels/pool.ts";
import { chunkLength, type LsgPattern, selectionOf } from "./options.ts";
import { lsgSlotPattern } from "./pattern.ts";
import { lshRounds, roundPlanes } from "./planes.ts";

/** Partial sums of what `bos_pooling` sends to its query. */
const QUERY_STRIPS = 32;

/** One selection on one packed projection. */
interface Call {
  readonly problem: SparseProblem;
  readonly pattern: LsgPattern;
  readonly qkv: Tensor;
  /** The projection and, where there is one, the key mask. */
  readonly sequence: readonly Tensor[];
  readonly threads: number;
  readonly slots: Tensor;
}

/**
 * Chooses the sparse keys of LSG for every head (lsg.md, section 2): tokens by index, or sums of tokens with the way back for their
 * gradients.
 *
 * @param qkv Packed projection of the sequence.
 * @param keyMask i32 [B, N].
 * @returns Undefined where the pattern has no sparse keys.
 */
export function selectSlots(
  qkv: Tensor,
  keyMask: Tensor | undefined,
  base: SparseProblem,
  pattern: LsgPattern,
): SelectedSlots | undefined {
  const slotPattern = lsgSlotPattern(pattern, textLength(base));
  if (!slotPattern) return undefined;
  const problem: SparseProblem = { ...base, slots: slotPattern };
  const { gpu } = qkv;
  const call: Call = {
    problem,
    pattern,
    qkv,
    sequence: keyMask ? [qkv, keyMask] : [qkv],
    threads: loopWorkgroup(gpu),
    slots: gpu.empty([problem.B, problem.H, slotPattern.count], "i32"),
  };
  const selection = selectionOf(pattern);
  switch (selection) {
    case "all":
    case "stride":
    case "block_stride":
      gpu.run(
        pickKernel(problem, selection, pattern.sparsityFactor, call.threads),
        [...call.sequence, call.slots],
      );
      return { pattern: slotPattern, slots: call.slots, owned: [call.slots] };
    case "norm":
      return selectByNorm(call);
    case "pooling":
    case "bos_pooling":
      return selectByGroup(call, selection);
    default:
      return selectByHash(call);
  }
}

function selectByNorm({ problem, pattern, qkv, sequence, threads, slots }: Call): SelectedSlots {
  const { B, H } = problem;
  const { gpu } = qkv;
  const chunk = chunkLength(pattern);
  const padded = slots.dim(2) * pattern.sparsityFactor;
  const norms = gpu.empty([B, H, padded], "f32", "workspace");
  gpu.run(keyNormKernel(problem, padded, threads), [...sequence, norms]);
  gpu.run(
    normRankKernel(problem, padded, chunk, pattern.sparsityFactor, threads),
    [norms, slots],
  );
  norms.dispose();
  return { pattern: problem.slots!, slots, owned: [slots] };
}

function selectByGroup(call: Call, selection: "pooling" | "bos_pooling"): SelectedSlots {
  const { problem, pattern, qkv, sequence, threads, slots } = call;
  const { B, H } = problem;
  const { gpu } = qkv;
  const factor = pattern.sparsityFactor;
  const maskBug = pattern.parity?.bosPoolingMaskBug ?? false;
  const weights = gpu.empty([B, H, textLength(problem)]);
  const kernel = selection === "pooling"
    ? meanWeightKernel(problem, factor, threads)
    : bosWeightKernel(problem, factor, maskBug, threads);
  gpu.run(kernel, [...sequence, weights, slots]);
  const pooling: Pooling = { chunk: factor, kept: 1, hashed: false };
  return pooledSlots(call, pooling, weights, undefined, selection === "bos_pooling");
}

function selectByHash(call: Call): SelectedSlots {
  const { problem, pattern, qkv, sequence, threads } = call;
  const { B, H, d } = problem;
  const { gpu } = qkv;
  const { sparsityFactor: factor, lshPreRounds = 1 } = pattern;
  const chunk = chunkLength(pattern);
  const kept = chunk / factor;
  const items = call.slots.dim(2) * factor;
  const weights = gpu.empty([B, H, textLength(problem)]);
  const assignment = gpu.empty(weights.shape, "i32");
  const buckets = gpu.empty([B, H, items], "i32", "workspace");
  gpu.run(visibleWeightKernel(problem, threads), [...sequence, weights]);
  let sums: Tensor | undefined;
  for (const [round, size] of lshRounds(chunk, factor, lshPreRounds).entries()) {
    const planes = Math.floor(size / 2);
    const directions = cachedTensor(gpu, roundPlanes(pattern, { heads: H, d, planes, round }));
    gpu.run(
      bucketKernel(problem, items, planes, sums ? "sums" : "tokens", threads),
      [...sequence, ...(sums ? [sums] : []), directions, buckets],
    );
    gpu.run(followKernel(problem, items, chunk, !sums, threads), [buckets, assignment]);
    if (round === lshPreRounds) break;
    const merged: Pooling = { chunk, kept: chunk, hashed: true };
    sums ??= gpu.empty([B, H, slotsOf(problem, merged), d], "f32", "workspace");
    gpu.run(poolKernel(problem, merged, 1, threads), [...sequence, assignment, weights, sums]);
  }
  gpu.run(
    centroidWeightKernel(problem, chunk, kept, threads),
    [assignment, weights, call.slots],
  );
  [buckets, sums].forEach((t) => t?.dispose());
  return pooledSlots(call, { chunk, kept, hashed: true }, weights, assignment, false);
}

/** Sums of tokens by weight, and how their gradients come back. */
function pooledSlots(
  { problem, pattern, qkv, sequence, threads, slots }: Call,
  pooling: Pooling,
  weights: Tensor,
  assignment: Tensor | undefined,
  weighted: boolean,
): SelectedSlots {
  const { B, H, d } = problem;
  const { gpu } = qkv;
  const offsets = { q: problem.q.offset, k: problem.k.offset, v: problem.v.offset };
  const pooled = gpu.empty([2, B, H, slots.dim(2), d]);
  const choice = assignment ? [assignment] : [];
  gpu.run(poolKernel(problem, pooling, 2, threads), [...sequence, ...choice, weights, pooled]);
  return {
    pattern: problem.slots!,
    slots,
    pooled,
    owned: [slots, pooled, weights, ...choice],
    backward: (pooledGradient, gradient) => {
      gpu.run(
        unpoolKernel(problem, pooling, offsets, threads),
        [...choice, weights, pooledGradient, gradient],
      );
      if (!weighted) return;
      const factor = pattern.sparsityFactor;
      const weightGradient = gpu.empty(weights.shape, "f32", "workspace");
      const partial = gpu.empty([B, H, QUERY_STRIPS, 4 * vectorsPerRow(d)], "f32", "workspace");
      gpu.run(
        bosGradientKernel(problem, factor, offsets, threads),
        [...sequence, weights, pooledGradient, weightGradient, gradient],
      );
      gpu.run(
        bosQueryPartKernel(problem, QUERY_STRIPS, threads),
        [...sequence, weightGradient, partial],
      );
      gpu.run(
        bosQueryCombineKernel(problem, QUERY_STRIPS, offsets, threads),
        [partial, gradient],
      );
      weightGradient.dispose();
      partial.dispose();
    },
  };
}
