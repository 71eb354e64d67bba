import {
  type Binding,
  type Kernel,
  MAX_GRID,
  ShapeError,
  type Uniform,
} from "../../../engine/mod.ts";
import { type GradientOffsets, headStart } from "../../softmax/kernels_problem.ts";
import {
  keyVisible,
  loadPacked,
  sparseBindings,
  type SparseProblem,
  sparseUniforms,
} from "../../block_sparse/problem.ts";
import type { SparseVariant } from "../../block_sparse/variant.ts";

/** A kernel of the selection: `count` threads per head and batch entry, each with its number in `n`. */
export interface SelectionKernel {
  readonly name: string;
  /** What else is spliced into the body. @default {""} */
  readonly key?: string;
  readonly count: number;
  /** Threads of a workgroup. */
  readonly threads: number;
  /** Reads the packed projection and, where there is one, the key mask. @default {true} */
  readonly sequence?: boolean;
  readonly bindings: readonly Binding[];
  /** Where gradients go: `u.dqOffset`, `u.dkOffset` and `u.dvOffset` of the body. */
  readonly offsets?: GradientOffsets;
  /** Whole numbers that the body reads as uniforms. */
  readonly numbers?: Readonly<Record<string, number>>;
  readonly functions?: string;
  readonly body: string;
}

/** Most threads of a workgroup that WebGPU guarantees. */
const MOST_THREADS = 256;

/**
 * Builds a kernel of the selection. In scope: what `headStart` declares, and `n`.
 *
 * @throws {ShapeError} If the text is longer than one dispatch can reach.
 */
export function selectionKernel(problem: SparseProblem, parts: SelectionKernel): Kernel {
  const { B, H, d } = problem;
  const { sequence = true } = parts;
  let threads = parts.threads;
  // Long texts take wider workgroups: their number is limited.
  while (parts.count > MAX_GRID * threads && threads < MOST_THREADS) threads *= 2;
  const workgroups = Math.max(1, Math.ceil(parts.count / threads));
  if (workgroups > MAX_GRID) {
    throw new ShapeError(
      `Cannot choose sparse keys with ${parts.name}: ${parts.count} threads need ${workgroups} workgroups, expected at ` +
        `most ${MAX_GRID}; use a shorter text or a smaller head`,
    );
  }
  const variant: SparseVariant = { threads, rows: 1 };
  const number = ([name, value]: [string, number]): Uniform => ({ name, type: "u32", value });
  return {
    name: parts.name,
    key: `d${d}${problem.masked ? " mask" : ""}${
      problem.pattern.hideFirst ? " hide-first" : ""
    } ${threads} ${parts.key ?? ""}`,
    bindings: [...(sequence ? sparseBindings(problem, { mask: true }) : []), ...parts.bindings],
    uniforms: [
      ...sparseUniforms(problem, variant, parts.offsets),
      ...Object.entries({ count: parts.count, ...parts.numbers }).map(number),
    ],
    grid: [workgroups, H, B],
    body: () =>
      `${sequence ? loadPacked(d) : ""}
${parts.functions ?? ""}
${headStart(problem, threads)}
let n = group.x * ${threads}u + lane;
if (n >= u.count) { return; }
${parts.body}
}`,
  };
}

/** WGSL condition: is text token `t` there and to be seen? */
export const tokenVisible = (problem: SparseProblem, t: string): string =>
  `${t} < u.T && ${keyVisible(problem, `(u.globals + ${t})`)}`;
