import type { Tensor } from "../../engine/mod.ts";
import { loopWorkgroup } from "../../engine/ops/loop_workgroup.ts";
import { type Chunks, chunksFor, preferredChunk } from "./chunks.ts";
import {
  backwardConsumer,
  backwardItems,
  leapGateGradientKernel,
  leapLogitGradientKernel,
} from "./kernels/backward.ts";
import { forwardConsumer, forwardItems } from "./kernels/forward.ts";
import { headNormGradientKernel, headNormKernel } from "./kernels/head_norm.ts";
import { leapWeightKernel } from "./kernels/weight.ts";
import {
  chunkBaseKernel,
  chunkTotalsKernel,
  type Consumer,
  type Items,
  needsTotals,
  windowScanKernel,
} from "./kernels/window_scan.ts";
import { type LeapOptions, type LeapProblem, leapProblem } from "./options.ts";

/** Tensors that the forward pass makes besides the output. */
export interface LeapForward {
  /** Token weights [B, T, H]. */
  readonly e: Tensor;
  /** Windowed sums of the weights [B, T, H]. */
  readonly z: Tensor;
  /** Logit of the gate [B, T, H]. */
  readonly gateLogit: Tensor;
  /** Averaged key [B, T, H, d], in the variants that have one. */
  readonly key: Tensor | undefined;
  readonly output: Tensor;
}

/**
 * LEAP over a packed projection, fused: weighting, windowed sums, division and gate in O(T) work for every window.
 *
 * Backward keeps three numbers per head and token (weight, sum of weights, gate logit) and, where keys are averaged, the averaged
 * key; the focused value is recovered from the output and the gate.
 *
 * @param packed [B, T, 4, H, d]: q, f1, f2, v (`2022-08`) or q, f, k, v (`1.0`, `1.0.1`) before any norm.
 * @returns [B, T, H, d].
 * @throws {ShapeError} If the packed projection or the mask has another shape.
 * @throws {RangeError} If window, rescale or dropout is out of range.
 */
export function fusedLeapAttention(packed: Tensor, options: LeapOptions): Tensor {
  const problem = leapProblem(packed, options);
  const { gpu } = problem;
  const chunks = chunksFor(problem.T, problem.window, preferredChunk(gpu));
  const { output, e, z, gateLogit, key } = leapForward(packed, problem, chunks, options.keyMask);
  const saved = [e, z, gateLogit, ...(key ? [key] : [])];
  if (!gpu.isRecording(packed)) {
    saved.forEach((tensor) => tensor.dispose());
    return output;
  }
  return gpu.record({
    op: "leap",
    inputs: [packed],
    output,
    saved,
    backward: (gradient) => [
      backward(gradient, packed, { output, e, z, gateLogit, key }, problem, chunks),
    ],
  });
}

/** @internal A packed projection whose slots are normed, where the variant norms all of them; else the packed projection itself. */
export function normedSlots(packed: Tensor, problem: LeapProblem): Tensor {
  if (problem.normed !== "all") return packed;
  const slots = packed.gpu.empty(packed.shape, "f32", "workspace");
  packed.gpu.run(headNormKernel(problem), [packed, slots]);
  return slots;
}

/** @internal The forward pass with all it makes; not recorded. */
export function leapForward(
  packed: Tensor,
  problem: LeapProblem,
  chunks: Chunks,
  keyMask: Tensor | undefined,
): LeapForward {
  const { gpu, B, T, H, d } = problem;
  const slots = normedSlots(packed, problem);
  const e = gpu.empty([B, T, H]);
  gpu.run(
    leapWeightKernel(problem, keyMask !== undefined),
    keyMask ? [slots, keyMask, e] : [slots, e],
  );
  const output = gpu.empty([B, T, H, d]);
  const z = gpu.empty([B, T, H]);
  const gateLogit = gpu.empty([B, T, H]);
  const key = problem.hasKey ? gpu.empty([B, T, H, d]) : undefined;
  windowScan(problem, chunks, forwardItems(problem), [slots, e], forwardConsumer(problem), [
    output,
    z,
    gateLogit,
    ...(key ? [key] : []),
  ]);
  if (slots !== packed) slots.dispose();
  return { output, e, z, gateLogit, key };
}

/** Gradient of the packed projection. */
function backward(
  dy: Tensor,
  packed: Tensor,
  { output, e, z, gateLogit, key }: LeapForward,
  problem: LeapProblem,
  chunks: Chunks,
): Tensor {
  const { gpu, B, T, H } = problem;
  const dpacked = gpu.empty(packed.shape);
  // Made again rather than kept from forward: it is as large as the input.
  const slots = normedSlots(packed, problem);
  const terms = gpu.empty([B, T, H, 2], "f32", "workspace");
  const dlogit = gpu.empty([B, T, H], "f32", "workspace");
  const keys = key ? [key] : [];
  gpu.run(leapGateGradientKernel(problem), [
    slots,
    dy,
    output,
    z,
    gateLogit,
    ...keys,
    dpacked,
    terms,
  ]);
  const itemTensors = key ? [dy, terms, dpacked] : [terms, dpacked];
  windowScan(problem, chunks, backwardItems(problem), itemTensors, backwardConsumer(problem), [
    slots,
    e,
    dlogit,
  ]);
  gpu.run(leapLogitGradientKernel(problem), [slots, dlogit, dpacked]);
  if (slots !== packed) {
    gpu.run(headNormGradientKernel(problem), [packed, dpacked]);
    slots.dispose();
  }
  terms.dispose();
  dlogit.dispose();
  return dpacked;
}

/** Runs the scan, after the two small passes over chunks where windows span whole ones. */
function windowScan(
  problem: LeapProblem,
  chunks: Chunks,
  items: Items,
  itemTensors: readonly Tensor[],
  consumer: Consumer,
  consumerTensors: readonly Tensor[],
): void {
  const { gpu, B, H, d } = problem;
  const workgroup = loopWorkgroup(gpu);
  const scan = windowScanKernel(problem, chunks, items, consumer, workgroup);
  if (!needsTotals(chunks)) {
    gpu.run(scan, [...itemTensors, ...consumerTensors]);
    return;
  }
  // The scalar takes a whole vector of up to four channels.
  const row = (items.vectors + 1) * (d % 4 === 0 ? 4 : d % 2 === 0 ? 2 : 1);
  const totals = gpu.empty([B * H, chunks.count, row], "f32", "workspace");
  const base = gpu.empty([B * H, chunks.count, row], "f32", "workspace");
  gpu.run(chunkTotalsKernel(problem, chunks, items, workgroup), [...itemTensors, totals]);
  gpu.run(chunkBaseKernel(problem, chunks, items.vectors, workgroup), [totals, base]);
  gpu.run(scan, [...itemTensors, base, ...consumerTensors]);
  totals.dispose();
  base.dispose();
}
