import { type Kernel, linearGrid, linearMain, read, write } from "../../../engine/mod.ts";
import { type LeapProblem, NORM_EPSILON } from "../options.ts";
import { headVectors, problemKey, problemText, problemUniforms, unroll } from "./text.ts";

const WORKGROUP = 64;

/** WGSL that norms the N vectors `${x}0`, ... in place to zero mean and leaves 1 / (std + epsilon) and std behind. */
export function normText(x: string, N: number, d: number): string {
  return `let mean_${x} = (${unroll(N, (n) => `dot_(${x}${n}, V(1.0))`, " + ")}) * ${1 / d};
  ${unroll(N, (n) => `${x}${n} -= V(mean_${x});`)}
  let std_${x} = sqrt((${unroll(N, (n) => `dot_(${x}${n}, ${x}${n})`, " + ")}) * ${1 / (d - 1)});
  let inverse_${x} = 1.0 / (std_${x} + ${NORM_EPSILON});
  ${unroll(N, (n) => `${x}${n} *= inverse_${x};`)}`;
}

/**
 * WGSL that writes the gradient of the raw head to `dpacked` at `at`, from the gradient `dx0`, ... of the head that `normText` normed:
 * with y = x_c / (std + eps), dx = (dy - mean(dy) - y (dy . y) (std + eps) / (std (d - 1))) / (std + eps).
 */
export function normGradientText(x: string, at: string, N: number, d: number): string {
  return `let mean = (${unroll(N, (n) => `dot_(dx${n}, V(1.0))`, " + ")}) * ${1 / d};
    let along = ${unroll(N, (n) => `dot_(dx${n}, ${x}${n})`, " + ")};
    // A head of equal channels has std 0 and norms to 0: only the mean is taken out.
    let turn = select(0.0, along / (inverse_${x} * std_${x} * ${d - 1}.0), std_${x} > 0.0);
    ${
    unroll(
      N,
      (n) => `dpacked[${at} + ${n}u] = (dx${n} - V(mean) - ${x}${n} * turn) * inverse_${x};`,
      "\n    ",
    )
  }`;
}

/** Norms every head of every slot of the packed projection. A thread per head of a slot of a token. */
export function headNormKernel(problem: LeapProblem): Kernel {
  const { type, N } = headVectors(problem.d);
  return {
    name: "leap_head_norm_fwd",
    key: problemKey(problem),
    bindings: [read("packed", type), write("slots", type)],
    uniforms: problemUniforms(problem),
    grid: slotGrid(problem),
    body: () =>
      `${problemText(problem)}
${linearMain(WORKGROUP)}
  if (i >= u.tokens * 4u) { return; }
  ${unroll(N, (n) => `var a${n} = packed[i * N + ${n}u];`)}
  ${normText("a", N, problem.d)}
  ${unroll(N, (n) => `slots[i * N + ${n}u] = a${n};`)}
}`,
  };
}

/** Turns the gradient of the normed slots, in place, into that of the packed projection. */
export function headNormGradientKernel(problem: LeapProblem): Kernel {
  const { d } = problem;
  const { type, N } = headVectors(d);
  return {
    name: "leap_head_norm_bwd",
    key: problemKey(problem),
    bindings: [read("packed", type), write("dpacked", type)],
    uniforms: problemUniforms(problem),
    grid: slotGrid(problem),
    body: () =>
      `${problemText(problem)}
${linearMain(WORKGROUP)}
  if (i >= u.tokens * 4u) { return; }
  let at = i * N;
  ${unroll(N, (n) => `var a${n} = packed[at + ${n}u]; let dx${n} = dpacked[at + ${n}u];`)}
  ${normText("a", N, d)}
  ${normGradientText("a", "at", N, d)}
}`,
  };
}

const slotGrid = ({ B, T, H }: LeapProblem) => linearGrid(Math.ceil(B * T * H * 4 / WORKGROUP));
