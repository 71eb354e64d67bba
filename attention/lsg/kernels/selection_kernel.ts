import type { Binding, Kernel, Uniform } from "../../../engine/mod.ts";
import { headStart } from "../../softmax/kernels_problem.ts";
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
  /** Whole numbers that the body reads as uniforms. */
  readonly numbers?: Readonly<Record<string, number>>;
  readonly functions?: string;
  readonly body: string;
}

/** Builds a kernel of the selection. In scope: what `headStart` declares, and `n`. */
export function selectionKernel(problem: SparseProblem, parts: SelectionKernel): Kernel {
  const { B, H, d } = problem;
  const { threads, sequence = true } = parts;
  const variant: SparseVariant = { threads, rows: 1 };
  const number = ([name, value]: [string, number]): Uniform => ({ name, type: "u32", value });
  return {
    name: parts.name,
    key: `d${d}${problem.masked ? " mask" : ""}${
      problem.pattern.hideFirst ? " hide-first" : ""
    } ${threads} ${parts.key ?? ""}`,
    bindings: [...(sequence ? sparseBindings(problem, { mask: true }) : []), ...parts.bindings],
    uniforms: [
      ...sparseUniforms(problem, variant),
      ...Object.entries({ count: parts.count, ...parts.numbers }).map(number),
    ],
    grid: [Math.max(1, Math.ceil(parts.count / threads)), H, B],
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
