/**
 * Attention received per key, without the [T, T] matrix: p_ij = exp(scale q_i k_j - lse_i) with the row statistic that the fused
 * forward pass leaves behind, summed over the queries that are real.
 *
 * Work: one thread per key, head and batch entry, the key in registers; queries are read in order, so the sum is the same every run.
 * Check: `deno test -A tests/attention/softmax/scores_test.ts`.
 */
import { type Kernel, read, write } from "../../engine/mod.ts";
import {
  allowed,
  type AttentionProblem,
  dot,
  headStart,
  loadFunction,
  problemKey,
  problemUniforms,
  range,
  rowType,
  vectorsPerRow,
} from "./kernels_problem.ts";

/** Bindings: q, k, lse [B, H, Tq], [keyMask], received [B, H, Tk], own [B, H, Tk]. */
export function receivedKernel(problem: AttentionProblem, threads: number): Kernel {
  const { B, H, Tk, d, masked } = problem;
  const type = rowType(d);
  return {
    name: "attention_received",
    key: `${problemKey(problem)} ${threads}`,
    bindings: [
      read("q", type),
      read("k", type),
      read("lse"),
      ...(masked ? [read("keyMask", "i32")] : []),
      write("received"),
      write("own"),
    ],
    uniforms: problemUniforms(problem),
    grid: [Math.ceil(Tk / threads), H, B],
    body: () => body(problem, threads),
  };
}

function body(problem: AttentionProblem, threads: number): string {
  const C = vectorsPerRow(problem.d);
  // A padded query is no reader: its row of the matrix does not count.
  const reads = problem.masked
    ? `${allowed(problem, "i", "j")} && keyMask[group.z * u.Tk + i] != 0`
    : allowed(problem, "i", "j");
  return `${loadFunction("q", problem.d)}
${loadFunction("k", problem.d)}
${headStart(problem, threads)}
let j = group.x * ${threads}u + lane;
if (j >= u.Tk) { return; }
let kAt = kBase + j * u.kRow;
${range(C).map((c) => `let k_${c} = load_k(kAt, ${c}u) * u.scale;`).join("\n")}
var total = 0.0;
var diagonal = 0.0;
for (var i = 0u; i < u.Tq; i++) {
let qAt = qBase + i * u.qRow;
${dot("s", C, (c) => `load_q(qAt, ${c}u)`, (c) => `k_${c}`)}
let p = select(0.0, exp(min(s - lse[statistics + i], 0.0)), ${reads});
total += p;
if (i == j) { diagonal = p; }
}
received[batchHead * u.Tk + j] = total;
own[batchHead * u.Tk + j] = diagonal;
}`;
}
