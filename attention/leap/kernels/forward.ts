import { read, write } from "../../../engine/mod.ts";
import { type LeapProblem, WEIGHT_SUM_EPSILON } from "../options.ts";
import { dropped, headVectors, unroll } from "./text.ts";
import type { Consumer, Items } from "./window_scan.ts";

/** Terms of the forward sums: e v (and e k with keys), and e. */
export function forwardItems(problem: LeapProblem): Items {
  const { type, N } = headVectors(problem.d);
  const { hasKey } = problem;
  const value = (n: number) => {
    const address = `at_v + ${n}u`;
    const v = `packed[${address}]`;
    return hasKey ? dropped(problem, v, address) : v;
  };
  return {
    name: "fwd",
    vectors: hasKey ? 2 * N : N,
    reverse: false,
    bindings: [read("packed", type), read("e")],
    prepare: `let weight = e[r]; let at_v = slot(r, 3u);${
      hasKey ? " let at_k = slot(r, 2u);" : ""
    }`,
    vector: (n) => `weight * ${n < N ? value(n) : `packed[at_k + ${n - N}u]`}`,
    scalar: "weight",
  };
}

/** Division and gate. Writes the output, z, the gate's logit u, and with keys the averaged key. */
export function forwardConsumer(problem: LeapProblem): Consumer {
  const { type, N } = headVectors(problem.d);
  const { hasKey } = problem;
  const q = (n: number) => {
    const address = `at_q + ${n}u`;
    return hasKey ? dropped(problem, `packed[${address}]`, address) : `packed[${address}]`;
  };
  const focused = (n: number) =>
    hasKey ? `t${n} * inverse` : dropped(problem, `t${n} * inverse`, `at_v + ${n}u`);
  // A window of padding only has no weight: its output is 0, where the source divides 0 by 0.
  const inverse = hasKey ? `1.0 / (tz + ${WEIGHT_SUM_EPSILON})` : "select(0.0, 1.0 / tz, tz > 0.0)";
  return {
    bindings: [
      write("y", type),
      write("z"),
      write("gate_logit"),
      ...(hasKey ? [write("key", type)] : []),
    ],
    scratchVector: (n) => n < N ? `y[r * N + ${n}u]` : `key[r * N + ${n - N}u]`,
    scratchScalar: "z[r]",
    finish: `let inverse = ${inverse};
    let at_q = slot(r, 0u);
    ${unroll(N, (n) => `let g${n} = ${focused(n)};`, "\n    ")}
    ${hasKey ? unroll(N, (n) => `let k${n} = t${N + n} * inverse;`, "\n    ") : ""}
    let gate_in = (${
      unroll(N, (n) => `dot_(${q(n)}, ${hasKey ? "k" : "g"}${n})`, " + ")
    }) * u.gate_scale;
    let gate = gate_of(gate_in);
    z[r] = tz;
    gate_logit[r] = gate_in;
    ${unroll(N, (n) => `y[r * N + ${n}u] = gate * g${n};`, "\n    ")}
    ${hasKey ? unroll(N, (n) => `key[r * N + ${n}u] = k${n};`, "\n    ") : ""}`,
  };
}
