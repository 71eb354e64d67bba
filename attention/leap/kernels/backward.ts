import { f32, type Kernel, linearGrid, linearMain, read, write } from "../../../engine/mod.ts";
import { type LeapProblem, WEIGHT_SUM_EPSILON } from "../options.ts";
import { normGradientText, normText } from "./head_norm.ts";
import { dropped, headVectors, problemKey, problemText, problemUniforms, unroll } from "./text.ts";
import { weightDerivativeText } from "./weight.ts";
import type { Consumer, Items } from "./window_scan.ts";

const WORKGROUP = 64;

/**
 * Back through gate and division, a thread per head of a token: the gradient of q, and the terms of the sums that run from the last
 * token to the first (names as in the README): r and alpha in `terms`, the vector P in slot f of the gradient, where it waits until
 * the last kernel overwrites it.
 */
export function leapGateGradientKernel(problem: LeapProblem): Kernel {
  const { B, T, H, d } = problem;
  const { type, N } = headVectors(d);
  const { hasKey } = problem;
  const each = (line: (n: number) => string) => unroll(N, line);
  const inverse = hasKey
    ? `1.0 / (z[i] + ${WEIGHT_SUM_EPSILON})`
    : "select(0.0, 1.0 / z[i], z[i] > 0.0)";
  const gradients = hasKey
    ? each((n) =>
      `{
    let keep = ${dropped(problem, "V(1.0)", `at_q + ${n}u`)};
    dpacked[at_q + ${n}u] = slope * key[i * N + ${n}u] * keep;
    dpacked[at_f + ${n}u] = slope * inverse * packed[at_q + ${n}u] * keep;
  }`
    )
    : each((n) =>
      `dpacked[at_q + ${n}u] = slope * inverse_gate * y${n};
  dpacked[at_f + ${n}u] = ${
        dropped(
          problem,
          `(gate * dy${n} + slope * packed[at_q + ${n}u]) * inverse`,
          `slot(i, 3u) + ${n}u`,
        )
      };`
    );
  return {
    name: "leap_gate_bwd",
    key: problemKey(problem),
    bindings: [
      read("packed", type),
      read("dy", type),
      read("y", type),
      read("z"),
      read("gate_logit"),
      ...(hasKey ? [read("key", type)] : []),
      write("dpacked", type),
      write("terms", "vec2f"),
    ],
    uniforms: problemUniforms(problem),
    grid: linearGrid(Math.ceil(B * T * H / WORKGROUP)),
    body: () =>
      `${problemText(problem)}
${linearMain(WORKGROUP)}
  if (i >= u.tokens) { return; }
  let at_q = slot(i, 0u);
  let at_f = slot(i, 1u);
  let inverse = ${inverse};
  let gate_in = gate_logit[i];
  let gate = gate_of(gate_in);
  let inverse_gate = 1.0 / gate;
  ${each((n) => `let dy${n} = dy[i * N + ${n}u]; let y${n} = y[i * N + ${n}u];`)}
  let along = ${unroll(N, (n) => `dot_(dy${n}, y${n})`, " + ")};
  let dlogit = along * gate_of(-gate_in);
  let slope = dlogit * u.gate_scale;
  ${gradients}
  terms[i] = vec2f((along + dlogit * gate_in) * inverse, gate * inverse);
}`,
  };
}

/** Terms of the backward sums: P (and alpha dy before it with keys), and r. */
export function backwardItems(problem: LeapProblem): Items {
  const { type, N } = headVectors(problem.d);
  const { hasKey } = problem;
  return {
    name: "bwd",
    vectors: hasKey ? 2 * N : N,
    reverse: true,
    bindings: [
      ...(hasKey ? [read("dy", type)] : []),
      read("terms", "vec2f"),
      write("dpacked", type),
    ],
    prepare: "let term = terms[r]; let at_p = slot(r, 1u);",
    vector: (n) => hasKey && n < N ? `term.y * dy[r * N + ${n}u]` : `dpacked[at_p + ${n % N}u]`,
    scalar: "term.x",
  };
}

/** Back through the weights: gradients of v (and k), and of the focus logit. */
export function backwardConsumer(problem: LeapProblem): Consumer {
  const { type, N } = headVectors(problem.d);
  const { hasKey } = problem;
  const address = (n: number) => n < N ? `slot(r, 3u) + ${n}u` : `slot(r, 2u) + ${n - N}u`;
  const M = hasKey ? 2 * N : N;
  const term = (n: number) =>
    `{
      let at = ${address(n)};
      let keep = ${hasKey && n < N ? dropped(problem, "V(1.0)", "at") : "V(1.0)"};
      de += dot_(packed[at] * keep, t${n});
      dpacked[at] = weight * t${n} * keep;
    }`;
  return {
    bindings: [read("packed", type), read("e"), write("dlogit")],
    scratchVector: (n) => `dpacked[${address(n)}]`,
    scratchScalar: "dlogit[r]",
    finish: `let weight = e[r];
    var de = -tz;
    ${unroll(M, term, "\n    ")}
    dlogit[r] = de * ${weightDerivativeText(problem.weight)};`,
  };
}

/** Back through the focus logit, a thread per head of a token: gradients of the slots f and k (f1 and f2). */
export function leapLogitGradientKernel(problem: LeapProblem): Kernel {
  const { B, T, H, d } = problem;
  const { type, N, width } = headVectors(d);
  return {
    name: "leap_logit_bwd",
    key: problemKey(problem),
    bindings: [read("packed", type), read("dlogit"), write("dpacked", type)],
    uniforms: [...problemUniforms(problem), f32("logit_scale", problem.logitScale)],
    grid: linearGrid(Math.ceil(B * T * H / WORKGROUP)),
    body: () =>
      `${problemText(problem)}
${linearMain(WORKGROUP)}
  if (i >= u.tokens) { return; }
  let at_f = slot(i, 1u);
  let at_k = slot(i, 2u);
  ${problem.normed === "focus" ? normedGradient(problem, N) : plainGradient(problem, N, width)}
}`,
  };
}

function plainGradient(problem: LeapProblem, N: number, width: number): string {
  const keep = problem.dropout ? ` * keep_scalar(at_k * ${width}u)` : "";
  return `let slope = dlogit[i] * u.logit_scale${keep};
  ${
    unroll(N, (n) =>
      `{
    let keep = ${dropped(problem, "V(1.0)", `at_f + ${n}u`)};
    dpacked[at_k + ${n}u] += slope * packed[at_f + ${n}u] * keep;
    dpacked[at_f + ${n}u] = slope * packed[at_k + ${n}u] * keep;
  }`)
  }`;
}

function normedGradient(problem: LeapProblem, N: number): string {
  const { d } = problem;
  const keep = (n: number) => problem.dropout ? ` * keep${n}` : "";
  const gradient = (x: string, other: string, at: string) =>
    `{
    ${unroll(N, (n) => `let dx${n} = slope * ${other}${n}${keep(n)};`, "\n    ")}
    ${normGradientText(x, at, N, d)}
  }`;
  return `${unroll(N, (n) => `var a${n} = packed[at_f + ${n}u]; var b${n} = packed[at_k + ${n}u];`)}
  ${normText("a", N, d)}
  ${normText("b", N, d)}
  ${problem.dropout ? unroll(N, (n) => `let keep${n} = keep_vector(at_f + ${n}u);`) : ""}
  let slope = dlogit[i] * u.logit_scale;
  ${gradient("a", "b", "at_f")}
  ${gradient("b", "a", "at_k")}`;
}
