/**
 * Hashing of `lsh`: a key goes to the bucket argmax [P, -P] of its projection P on random directions, as in cross-polytope hashing. Rounds
 * before the last merge near-duplicates: their sums are hashed again. What is kept is the bucket of every token.
 * Check: `deno test -A tests/attention/lsg/`.
 */
import { type Kernel, read, write } from "../../../engine/mod.ts";
import {
  dot,
  loadFunction,
  range,
  rowType,
  rowUnits,
  vectorsPerRow,
} from "../../softmax/kernels_problem.ts";
import { directRows } from "../../softmax/variants.ts";
import { type SparseProblem, textLength } from "../../block_sparse/problem.ts";
import { selectionKernel, tokenVisible } from "./selection_kernel.ts";

/** 1 for tokens that count, else 0. A thread per token. Bindings: qkv, [keyMask], weights. */
export function visibleWeightKernel(problem: SparseProblem, threads: number): Kernel {
  return selectionKernel(problem, {
    name: "lsg_visible_weight",
    count: textLength(problem),
    threads,
    bindings: [write("weights")],
    body: `weights[batchHead * u.T + n] = select(0.0, 1.0, ${tokenVisible(problem, "n")});`,
  });
}

/** Items that a thread hashes together, since a direction costs as much to load as many multiply-adds. */
const itemsPerThread = (d: number): number => directRows(d);

/**
 * Bucket of every item [B, H, items]: of the tokens, or of the sums of an earlier round. The length of a key does not change its
 * bucket, so none is normed; an item of nothing goes to bucket 0. Bindings: qkv, [keyMask], [sums], planes [H, m, d], buckets.
 */
export function bucketKernel(
  problem: SparseProblem,
  items: number,
  planes: number,
  source: "tokens" | "sums",
  threads: number,
): Kernel {
  const { d } = problem;
  const C = vectorsPerRow(d);
  const type = rowType(d);
  const width = rowUnits(d);
  const R = itemsPerThread(d);
  const declare = (r: number) =>
    `let item${r} = n * ${R}u + ${r}u;
let i${r} = min(item${r}, u.items - 1u);
${
      source === "sums"
        ? `let at${r} = (batchHead * u.items + i${r}) * ${width}u;
${range(C).map((c) => `let k${r}_${c} = load_sums(at${r}, ${c}u);`).join("\n")}`
        : `let at${r} = kBase + (u.globals + min(i${r}, u.T - 1u)) * u.kRow;
let counts${r} = select(0.0, 1.0, ${tokenVisible(problem, `i${r}`)});
${range(C).map((c) => `let k${r}_${c} = load_k(at${r}, ${c}u) * counts${r};`).join("\n")}`
    }
var bestPlus${r} = 0u;
var bestMinus${r} = 0u;
var plus${r} = -1e30;
var minus${r} = -1e30;`;
  const project = (r: number) =>
    `${dot(`p${r}`, C, (c) => `k${r}_${c}`, (c) => `plane_${c}`)}
bestPlus${r} = select(bestPlus${r}, m, p${r} > plus${r});
plus${r} = max(plus${r}, p${r});
bestMinus${r} = select(bestMinus${r}, m, -p${r} > minus${r});
minus${r} = max(minus${r}, -p${r});`;
  const store = (r: number) =>
    `if (item${r} < u.items) {
  let bucket = select(bestPlus${r}, u.planeCount + bestMinus${r}, minus${r} > plus${r});
  buckets[batchHead * u.items + item${r}] = i32(bucket);
}`;
  return selectionKernel(problem, {
    name: `lsg_bucket_${source}`,
    count: Math.ceil(items / R),
    threads,
    bindings: [
      ...(source === "sums" ? [read("sums", type)] : []),
      read("planes", type),
      write("buckets", "i32"),
    ],
    numbers: { items, planeCount: planes },
    functions: [
      source === "sums" ? loadFunction("sums", d) : "",
      loadFunction("planes", d),
    ].join("\n"),
    body: `${range(R).map(declare).join("\n")}
let end = min(u.planeCount, arrayLength(&planes));
for (var m = 0u; m < end; m++) {
  let planeAt = (group.y * u.planeCount + m) * ${width}u;
  ${range(C).map((c) => `let plane_${c} = load_planes(planeAt, ${c}u);`).join("\n")}
  ${range(R).map(project).join("\n")}
}
${range(R).map(store).join("\n")}`,
  });
}

/**
 * Follows the tokens of items into the items' buckets. A thread per token. `first`: the items were the tokens. Bindings: buckets,
 * assignment.
 */
export function followKernel(
  problem: SparseProblem,
  items: number,
  chunk: number,
  first: boolean,
  threads: number,
): Kernel {
  return selectionKernel(problem, {
    name: "lsg_follow",
    key: first ? "first" : "",
    count: textLength(problem),
    threads,
    sequence: false,
    bindings: [read("buckets", "i32"), write("assignment", "i32")],
    numbers: { chunk, items },
    body: `let item = n % u.chunk;
let own = batchHead * u.T + n;
let start = batchHead * u.items + n / u.chunk * u.chunk;
assignment[own] = buckets[start + ${first ? "item" : "u32(assignment[own])"}];`,
  });
}

/**
 * Turns counts into means: every token's weight becomes 1 / (tokens of its slot + 1e-8), and empty slots are hidden. A thread per slot.
 * Bindings: assignment, weights, slots.
 */
export function centroidWeightKernel(
  problem: SparseProblem,
  chunk: number,
  kept: number,
  threads: number,
): Kernel {
  return selectionKernel(problem, {
    name: "lsg_centroid_weight",
    count: problem.slots!.count,
    threads,
    sequence: false,
    bindings: [read("assignment", "i32"), write("weights"), write("slots", "i32")],
    numbers: { chunk, kept },
    body: `let start = n / u.kept * u.chunk;
let end = min(start + u.chunk, u.T);
let slot = i32(n % u.kept);
var count = 0.0;
for (var t = start; t < end; t++) {
  let at = batchHead * u.T + t;
  if (assignment[at] == slot) { count += weights[at]; }
}
for (var t = start; t < end; t++) {
  let at = batchHead * u.T + t;
  // A token belongs to one slot, so nobody else writes its weight.
  if (assignment[at] == slot) { weights[at] = weights[at] / (count + 1e-8); }
}
slots[batchHead * u.slotCount + n] = select(-1, 0, count > 0.0);`,
  });
}
