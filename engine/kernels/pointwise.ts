import type { Pointwise } from "./elementwise.ts";

/** Pointwise functions of the elementwise operations and their derivatives, as WGSL. Operands are `a`, `b`, `c` in order. */

const define = (
  name: string,
  value: string | ((T: string) => string),
  extra: Omit<Pointwise, "name" | "value"> = {},
): Pointwise => ({ name, value: typeof value === "string" ? () => value : value, ...extra });

/**
 * WGSL leaves pow(x, s) open for x < 0, and as exp2(s * log2(x)) it is NaN for 0^0. `parity` is 0 for an even integer s, 1 for an odd one
 * and 2 for any other.
 */
const POW = (T: string) =>
  `fn pow_(x: ${T}, s: f32, parity: f32) -> ${T} {
  if (s == 0.0) { return ${T}(1.0); }
  if (parity == 2.0) { return pow(x, ${T}(s)); }
  var size = pow(abs(x), ${T}(s));
  if (s > 0.0) { size = select(size, ${T}(0.0), x == ${T}(0.0)); }
  if (parity == 1.0) { size = select(size, -size, x < ${T}(0.0)); }
  return size;
}`;

/** Functions of one operand `a`. */
export const UNARY = {
  affine: define("affine", "a * u.p + u.q", { numbers: 2 }),
  exp: define("exp", "exp(a)"),
  log: define("log", "log(a)"),
  sqrt: define("sqrt", "sqrt(a)"),
  square: define("square", "a * a"),
  abs: define("abs", "abs(a)"),
  reciprocal: define("reciprocal", "1.0 / a"),
  pow: define("pow", "pow_(a, u.p, u.q)", { helpers: POW, numbers: 2 }),
  maximum: define("maximum_number", (T) => `max(a, ${T}(u.p))`, { numbers: 1 }),
  minimum: define("minimum_number", (T) => `min(a, ${T}(u.p))`, { numbers: 1 }),
} as const satisfies Record<string, Pointwise>;

/** Derivatives: `a` is the upstream gradient, `b` the saved input or output. */
export const UNARY_BACKWARD = {
  exp: define("exp_bwd", "a * b"),
  log: define("log_bwd", "a / b"),
  sqrt: define("sqrt_bwd", "0.5 * a / b"),
  square: define("square_bwd", "2.0 * a * b"),
  abs: define("abs_bwd", "a * sign(b)"),
  reciprocal: define("reciprocal_bwd", "-a * b * b"),
  pow: define("pow_bwd", "a * u.r * pow_(b, u.p, u.q)", { helpers: POW, numbers: 3 }),
  maximum: define("maximum_number_bwd", (T) => `select(${T}(0.0), a, b >= ${T}(u.p))`, {
    numbers: 1,
  }),
  minimum: define("minimum_number_bwd", (T) => `select(${T}(0.0), a, b <= ${T}(u.p))`, {
    numbers: 1,
  }),
} as const satisfies Record<string, Pointwise>;

/** Functions of two operands. */
export const BINARY = {
  add: define("add", "a + b"),
  sub: define("sub", "a - b"),
  mul: define("mul", "a * b"),
  div: define("div", "a / b"),
  maximum: define("maximum", "max(a, b)"),
  minimum: define("minimum", "min(a, b)"),
  greater: define("greater", (T) => `select(${T}(0.0), ${T}(1.0), a > b)`),
} as const satisfies Record<string, Pointwise>;

/** Gradients of binary functions: `a` is the upstream gradient, `b` and `c` the operands. */
export const BINARY_BACKWARD = {
  divisor: define("div_bwd", "-a * b / (c * c)"),
  maximumFirst: define("maximum_bwd_first", (T) => `select(${T}(0.0), a, b >= c)`),
  maximumSecond: define("maximum_bwd_second", (T) => `select(a, ${T}(0.0), b >= c)`),
  minimumFirst: define("minimum_bwd_first", (T) => `select(${T}(0.0), a, b <= c)`),
  minimumSecond: define("minimum_bwd_second", (T) => `select(a, ${T}(0.0), b <= c)`),
} as const satisfies Record<string, Pointwise>;

/** Choice by a condition `a`. */
export const WHERE = define("where", (T) => `select(c, b, a != ${T}(0.0))`);
/** Upstream gradient `b` where the condition `a` is true, else 0. */
export const WHERE_TRUE = define("where_bwd_true", (T) => `select(${T}(0.0), b, a != ${T}(0.0))`);
/** Upstream gradient `b` where the condition `a` is false, else 0. */
export const WHERE_FALSE = define("where_bwd_false", (T) => `select(b, ${T}(0.0), a != ${T}(0.0))`);
