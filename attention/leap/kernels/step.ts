import { f32, type Kernel, linearGrid, linearMain, read, u32, write } from "../../../engine/mod.ts";
import { type LeapProblem, WEIGHT_SUM_EPSILON } from "../options.ts";
import { headVectors, problemKey, problemText, problemUniforms, unroll } from "./text.ts";
import { logitText, weightText } from "./weight.ts";

const WORKGROUP = 8;

/** Vectors of one entry of the state: the weighted v (and k), and the weight in the first channel of the last. */
export function stepEntryVectors(d: number, hasKey: boolean): number {
  return (hasKey ? 2 : 1) * headVectors(d).N + 1;
}

/**
 * One token of decoding, a thread per head. The state of a head is `window` entries used as a ring, then the running prefix; a
 * global layer (`windowed` false) has the prefix only.
 *
 * Time is cut in blocks of `window` tokens. The ring holds the terms of the current block up to this token and, behind them, the
 * suffix sums of the block before; at the first token of a block its terms are turned into suffix sums in one go, which is O(1) per
 * token on average. Nothing is subtracted.
 *
 * @param position Index of the token, from 0.
 */
export function leapStepKernel(
  problem: LeapProblem,
  windowed: boolean,
  position: number,
): Kernel {
  const { B, H, d, hasKey, window } = problem;
  const { type, N } = headVectors(d);
  const E = stepEntryVectors(d, hasKey);
  const M = E - 1;
  const entries = (windowed ? window : 0) + 1;
  const first = type === "f32" ? "" : ".x";
  const load = (to: string, entry: string) =>
    `{ let cell = state_at + (${entry}) * ${E}u;
      ${unroll(M, (n) => `${to}${n} += state[cell + ${n}u];`, "\n      ")}
      ${to}z += state[cell + ${M}u]${first}; }`;
  const store = (from: string, entry: string) =>
    `{ let cell = state_at + (${entry}) * ${E}u;
      ${unroll(M, (n) => `state[cell + ${n}u] = ${from}${n};`, "\n      ")}
      state[cell + ${M}u] = V(${from}z); }`;
  const zeros = (name: string) =>
    `${unroll(M, (n) => `var ${name}${n} = V();`)} var ${name}z = 0.0;`;
  const ring = `let slot_now = u.position % u.window;
  if (slot_now == 0u && u.position > 0u) {
    ${zeros("c")}
    for (var entry = u.window; entry > 0u; entry--) {
      ${load("c", "entry - 1u")}
      ${store("c", "entry - 1u")}
    }
  }`;
  const inverse = hasKey ? `1.0 / (sz + ${WEIGHT_SUM_EPSILON})` : "select(0.0, 1.0 / sz, sz > 0.0)";
  return {
    name: `leap_step${windowed ? "" : "_global"}`,
    key: problemKey(problem),
    bindings: [read("packed", type), write("state", type), write("y", type)],
    uniforms: [
      ...problemUniforms(problem),
      f32("logit_scale", problem.logitScale),
      u32("position", position),
      u32("window", window),
      u32("entries", entries),
    ],
    grid: linearGrid(Math.ceil(B * H / WORKGROUP)),
    body: () =>
      `${problemText(problem)}
${linearMain(WORKGROUP)}
  if (i >= u.tokens) { return; }
  let state_at = i * u.entries * ${E}u;
  let at_q = slot(i, 0u);
  let at_f = slot(i, 1u);
  let at_k = slot(i, 2u);
  let at_v = slot(i, 3u);
  ${logitText(problem)}
  let weight = ${weightText(problem.weight)};
  ${windowed ? ring : "let slot_now = u.position;"}
  ${
        unroll(
          M,
          (n) => `let x${n} = weight * packed[${n < N ? `at_v + ${n}u` : `at_k + ${n - N}u`}];`,
        )
      }
  let xz = weight;
  ${zeros("s")}
  if (slot_now > 0u) { ${load("s", "u.entries - 1u")} }
  ${unroll(M, (n) => `s${n} += x${n};`)} sz += xz;
  ${store("s", "u.entries - 1u")}
  ${
        windowed
          ? `if (u.position >= u.window && slot_now + 1u < u.window) { ${
            load("s", "slot_now + 1u")
          } }
  ${store("x", "slot_now")}`
          : ""
      }
  let inverse = ${inverse};
  let gate = gate_of((${
        unroll(N, (n) => `dot_(packed[at_q + ${n}u], s${hasKey ? N + n : n})`, " + ")
      }) * inverse * u.gate_scale);
  ${unroll(N, (n) => `y[i * N + ${n}u] = gate * s${n} * inverse;`)}
}`,
  };
}
