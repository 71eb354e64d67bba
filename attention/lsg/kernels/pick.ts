/**
 * Selections whose sparse keys are tokens of the sequence: they write which token each slot stands for, or -1 where nobody may see it.
 * Check: `deno test -A tests/attention/lsg/`.
 */
import { type Kernel, read, write } from "../../../engine/mod.ts";
import { dot, range, vectorsPerRow } from "../../softmax/kernels_problem.ts";
import type { SparseProblem } from "../../block_sparse/problem.ts";
import { selectionKernel, tokenVisible } from "./selection_kernel.ts";

/** The text token of slot `n` of a head, as WGSL. */
const TOKEN = {
  all: "n",
  stride: "n * u.factor + group.y % u.factor",
  // factor * perBlock = block, so a run starts at a multiple of its own length and never leaves the block.
  block_stride: "n / u.slotStep * u.block + group.y * u.slotStep % u.block + n % u.slotStep",
} as const;

/** Slots by arithmetic. Bindings: qkv, [keyMask], slots. */
export function pickKernel(
  problem: SparseProblem,
  selection: keyof typeof TOKEN,
  factor: number,
  threads: number,
): Kernel {
  return selectionKernel(problem, {
    name: `lsg_pick_${selection}`,
    count: problem.slots!.count,
    threads,
    bindings: [write("slots", "i32")],
    numbers: { factor },
    body: `let token = ${TOKEN[selection]};
slots[batchHead * u.slotCount + n] = select(-1, i32(token), ${tokenVisible(problem, "token")});`,
  });
}

/**
 * Squared norm of every key, in chunks of whole blocks [B, H, padded T]; -1 where there is no key to see, so that such a token is chosen
 * last. Bindings: qkv, [keyMask], norms.
 */
export function keyNormKernel(problem: SparseProblem, padded: number, threads: number): Kernel {
  const C = vectorsPerRow(problem.d);
  return selectionKernel(problem, {
    name: "lsg_key_norm",
    count: padded,
    threads,
    bindings: [write("norms")],
    body: `let at = kBase + (u.globals + min(n, u.T - 1u)) * u.kRow;
${range(C).map((c) => `let k_${c} = load_k(at, ${c}u);`).join("\n")}
${dot("square", C, (c) => `k_${c}`, (c) => `k_${c}`)}
norms[batchHead * u.count + n] = select(-1.0, square, ${tokenVisible(problem, "n")});`,
  });
}

/**
 * The tokens of largest norm of every chunk, in falling order; of equal norms the earlier token comes first. A thread per token counts
 * those before it. Bindings: norms, slots.
 */
export function normRankKernel(
  problem: SparseProblem,
  padded: number,
  chunk: number,
  factor: number,
  threads: number,
): Kernel {
  return selectionKernel(problem, {
    name: "lsg_norm_rank",
    count: padded,
    threads,
    sequence: false,
    bindings: [read("norms"), write("slots", "i32")],
    numbers: { chunk, kept: chunk / factor },
    body: `let start = n / u.chunk * u.chunk;
let base = batchHead * u.count;
let own = norms[base + n];
var rank = 0u;
let end = start + min(u.chunk, arrayLength(&norms));
for (var t = start; t < end; t++) {
  let other = norms[base + t];
  rank += select(0u, 1u, other > own || (other == own && t < n));
}
if (rank < u.kept) {
  slots[batchHead * u.slotCount + n / u.chunk * u.kept + rank] = select(-1, i32(n), own >= 0.0);
}`,
  });
}
