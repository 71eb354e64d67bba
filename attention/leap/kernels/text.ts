import type { BindingType, Uniform } from "../../../engine/mod.ts";
import { f32, u32 } from "../../../engine/mod.ts";
import { DROPOUT_DOMAIN } from "../../../engine/kernels/dropout.ts";
import { RANDOM_WGSL } from "../../../engine/kernels/random_wgsl.ts";
import type { LeapProblem } from "../options.ts";

/** A head of d channels as WGSL registers: N vectors of `width` channels. */
export interface HeadVectors {
  readonly type: Extract<BindingType, "f32" | "vec2f" | "vec4f">;
  readonly width: number;
  readonly N: number;
}

/** The widest vector that divides the head, so that no vector straddles two heads. */
export function headVectors(d: number): HeadVectors {
  if (d % 4 === 0) return { type: "vec4f", width: 4, N: d / 4 };
  if (d % 2 === 0) return { type: "vec2f", width: 2, N: d / 2 };
  return { type: "f32", width: 1, N: d };
}

/** Repeats a line of WGSL for every register of a head. */
export function unroll(count: number, line: (n: number) => string, separator = "\n  "): string {
  return Array.from({ length: count }, (_, n) => line(n)).join(separator);
}

/** Slots of the packed projection. */
export const SLOT = { q: 0, f: 1, k: 2, v: 3 } as const;

/** Uniforms that locate heads and draw dropout; every kernel of a problem starts with them. */
export function problemUniforms({ B, T, H, gateScale, dropout }: LeapProblem): Uniform[] {
  const uniforms = [u32("time", T), u32("heads", H), u32("rows", B * H), u32("tokens", B * T * H)];
  uniforms.push(f32("gate_scale", gateScale));
  if (dropout) {
    const { p, stream, seed } = dropout;
    uniforms.push(u32("threshold", Math.round(p * 0x1000000)), f32("keep", 1 / (1 - p)));
    uniforms.push(u32("stream", stream >>> 0), u32("seed", seed >>> 0));
  }
  return uniforms;
}

/** What identifies the text of a problem's kernels. */
export function problemKey({ weight, normed, hasKey, d, dropout }: LeapProblem): string {
  return `${weight}, norm ${normed}, d${d}${hasKey ? " key" : ""}${dropout ? " dropout" : ""}`;
}

/**
 * Functions of the kernels. Heads are numbered r = (b T + t) H + h; `slot(r, s)` is the first vector of slot s of the packed
 * projection. Dropout draws like `dropout` of the packed tensor would; values that are no element of it borrow the index of one
 * that is never dropped (see the README), so one stream serves a call.
 */
export function problemText({ d, dropout }: LeapProblem): string {
  const { type: V, width, N } = headVectors(d);
  // A vector of four is drawn by one hash, as the dropout operation does; narrower ones go element by element.
  const lanes = unroll(width, (c) => `keep_scalar(vector * ${width}u + ${c}u)`, ", ");
  const draw = (counter: string) =>
    `hash4(vec4u(${counter}, u.stream, u.seed, ${DROPOUT_DOMAIN}u)) >> vec4u(8u)`;
  return `alias V = ${V};
const N = ${N}u;
fn dot_(a: V, b: V) -> f32 { return ${width === 1 ? "a * b" : "dot(a, b)"}; }
fn slot(r: u32, s: u32) -> u32 { return (((r / u.heads) * 4u + s) * u.heads + r % u.heads) * N; }
fn gate_of(x: f32) -> f32 { return 1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0))); }
${
    dropout
      ? `${RANDOM_WGSL}
fn keep_scalar(index: u32) -> f32 {
  let draws = ${draw("index / 4u")};
  return select(0.0, u.keep, draws[index % 4u] >= u.threshold);
}
fn keep_vector(vector: u32) -> V {
  ${
        width === 4
          ? `return select(vec4f(0.0), vec4f(u.keep), (${draw("vector")}) >= vec4u(u.threshold));`
          : `return V(${lanes});`
      }
}`
      : ""
  }`;
}

/** `expression`, multiplied by the dropout of the packed vector at `address`. */
export function dropped(problem: LeapProblem, expression: string, address: string): string {
  return problem.dropout ? `${expression} * keep_vector(${address})` : expression;
}
