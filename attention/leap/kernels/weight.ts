import { f32, type Kernel, linearGrid, linearMain, read, write } from "../../../engine/mod.ts";
import { type LeapProblem, NORM_EPSILON } from "../options.ts";
import { dropped, headVectors, problemKey, problemText, problemUniforms, unroll } from "./text.ts";

const WORKGROUP = 64;

/** WGSL that norms the N vectors `${x}0`, ... in place to zero mean and leaves 1 / (std + epsilon) and std behind. */
export function normText(x: string, N: number, d: number): string {
  return `let mean_${x} = (${unroll(N, (n) => `dot_(${x}${n}, V(1.0))`, " + ")}) * ${1 / d};
  ${unroll(N, (n) => `${x}${n} -= V(mean_${x});`)}
  let std_${x} = sqrt((${unroll(N, (n) => `dot_(${x}${n}, ${x}${n})`, " + ")}) * ${1 / (d - 1)});
  let inverse_${x} = 1.0 / (std_${x} + ${NORM_EPSILON});
  ${unroll(N, (n) => `${x}${n} *= inverse_${x};`)}`;
}

/** WGSL that leaves the focus logit of head r in `logit`. */
export function logitText(problem: LeapProblem): string {
  const { variant, d } = problem;
  const { N } = headVectors(d);
  if (variant === "2022-08") {
    const norm = (x: string) => normText(x, N, d);
    return `${
      unroll(N, (n) => `var a${n} = packed[at_f + ${n}u]; var b${n} = packed[at_k + ${n}u];`)
    }
  ${norm("a")}
  ${norm("b")}
  ${unroll(N, (n) => `a${n} = ${dropped(problem, `a${n}`, `at_f + ${n}u`)};`)}
  let logit = (${unroll(N, (n) => `dot_(a${n}, b${n})`, " + ")}) * u.logit_scale;`;
  }
  const logitKeep = problem.dropout ? ` * keep_scalar(at_k * ${headVectors(d).width}u)` : "";
  return `${
    unroll(
      N,
      (n) => `let a${n} = ${dropped(problem, `packed[at_f + ${n}u]`, `at_f + ${n}u`)};`,
    )
  }
  let logit = (${
    unroll(N, (n) => `dot_(a${n}, packed[at_k + ${n}u])`, " + ")
  }) * u.logit_scale${logitKeep};`;
}

/** Weight of a logit: exp, or elu + 1 written without the cancelling 1. */
export const weightText = (variant: LeapProblem["variant"]): string =>
  variant === "2022-08" ? "exp(logit)" : "select(exp(min(logit, 0.0)), logit + 1.0, logit > 0.0)";

/** Factor on the dot product of the focus vectors. */
export const logitScale = ({ variant, d, rescale }: LeapProblem): number =>
  variant === "2022-08" ? rescale / d : 1 / Math.sqrt(d);

/** Token weights e [B, T, H] from the packed projection; padding gets 0. A thread per head of a token. */
export function leapWeightKernel(problem: LeapProblem, masked: boolean): Kernel {
  const { B, T, H } = problem;
  return {
    name: "leap_weight_fwd",
    key: `${problemKey(problem)}${masked ? " masked" : ""}`,
    bindings: [
      read("packed", headVectors(problem.d).type),
      ...(masked ? [read("mask", "u32")] : []),
      write("e"),
    ],
    uniforms: [...problemUniforms(problem), f32("logit_scale", logitScale(problem))],
    grid: linearGrid(Math.ceil(B * T * H / WORKGROUP)),
    body: () =>
      `${problemText(problem)}
${linearMain(WORKGROUP)}
  if (i >= u.tokens) { return; }
  let at_f = slot(i, 1u);
  let at_k = slot(i, 2u);
  ${logitText(problem)}
  let weight = ${weightText(problem.variant)};
  e[i] = ${masked ? "select(weight, 0.0, mask[i / u.heads] == 0u)" : "weight"};
}`,
  };
}
