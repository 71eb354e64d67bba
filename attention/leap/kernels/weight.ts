import { f32, type Kernel, linearGrid, linearMain, read, write } from "../../../engine/mod.ts";
import { type LeapFeatures, type LeapProblem, MAX_WEIGHT } from "../options.ts";
import { normText } from "./head_norm.ts";
import { dropped, headVectors, problemKey, problemText, problemUniforms, unroll } from "./text.ts";

const WORKGROUP = 64;
/** Keeps exp itself inside f32; a little over the logit of `MAX_WEIGHT`, so that the cap decides. */
const MAX_CAPPED_LOGIT = "71.0";

/** WGSL that leaves the focus logit of head r in `logit`. */
export function logitText(problem: LeapProblem): string {
  const { normed, d } = problem;
  const { N } = headVectors(d);
  if (normed === "focus") {
    const norm = (x: string) => normText(x, N, d);
    return `${
      unroll(N, (n) => `var a${n} = packed[at_f + ${n}u]; var b${n} = packed[at_k + ${n}u];`)
    }
  ${norm("a")}
  ${norm("b")}
  ${unroll(N, (n) => `a${n} = ${dropped(problem, `a${n}`, `at_f + ${n}u`)};`)}
  let logit = (${unroll(N, (n) => `dot_(a${n}, b${n})`, " + ")}) * u.logit_scale;`;
  }
  const logitKeep = problem.hasKey && problem.dropout
    ? ` * keep_scalar(at_k * ${headVectors(d).width}u)`
    : "";
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

/** Weight of a logit; elu + 1 is written without the cancelling 1. */
export function weightText(weight: LeapFeatures["weight"]): string {
  switch (weight) {
    case "exp":
      return "exp(logit)";
    case "capped exp":
      return `min(exp(min(logit, ${MAX_CAPPED_LOGIT})), ${MAX_WEIGHT})`;
    case "elu + 1":
      return "select(exp(min(logit, 0.0)), logit + 1.0, logit > 0.0)";
  }
}

/** Derivative of the weight by its logit, from `weight` alone. */
export function weightDerivativeText(weight: LeapFeatures["weight"]): string {
  switch (weight) {
    case "exp":
      return "weight";
    case "capped exp":
      return `select(weight, 0.0, weight >= ${MAX_WEIGHT})`;
    case "elu + 1":
      return "select(weight, 1.0, weight > 1.0)";
  }
}

/**
 * Token weights e [B, T, H] from the packed projection, already normed where all slots are; padding gets 0. A thread per head of a
 * token.
 */
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
    uniforms: [...problemUniforms(problem), f32("logit_scale", problem.logitScale)],
    grid: linearGrid(Math.ceil(B * T * H / WORKGROUP)),
    body: () =>
      `${problemText(problem)}
${linearMain(WORKGROUP)}
  if (i >= u.tokens) { return; }
  let at_f = slot(i, 1u);
  let at_k = slot(i, 2u);
  ${logitText(problem)}
  let weight = ${weightText(problem.weight)};
  e[i] = ${masked ? "select(weight, 0.0, mask[i / u.heads] == 0u)" : "weight"};
}`,
  };
}
