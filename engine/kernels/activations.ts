/** Pointwise non-linearities as WGSL functions, shared by the elementwise kernels and the epilogues of matmul. */

/** Names of the activations. `gelu` is the exact form (erf), `geluTanh` GPT-2's approximation (Hendrycks and Gimpel 2016). */
export type Activation = "gelu" | "geluTanh" | "relu" | "sigmoid" | "tanh" | "elu" | "silu";

/**
 * erf with absolute error below 1.3e-7: erfc by the Chebyshev fit of Numerical Recipes (Press et al., section 6.2), whose relative
 * error is 1.2e-7 everywhere.
 */
const ERF = (T: string) =>
  `fn erf_(x: ${T}) -> ${T} {
  let z = abs(x);
  let t = 1.0 / (1.0 + 0.5 * z);
  let p = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807 +
    t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  return sign(x) * (1.0 - t * exp(-z * z + p));
}
`;

/** tanh saturates to 1 in f32 beyond 9.02; the clamp keeps drivers that use exp(2x) from overflowing. */
const TANH = (T: string) =>
  `fn tanh_(x: ${T}) -> ${T} { return tanh(clamp(x, ${T}(-10.0), ${T}(10.0))); }\n`;

const SIGMOID = (T: string) => `fn sigmoid_(x: ${T}) -> ${T} { return 1.0 / (1.0 + exp(-x)); }\n`;

interface Definition {
  readonly helpers: (T: string) => string;
  /** Value at x. */
  readonly value: (T: string) => string;
  /** Derivative at x. */
  readonly derivative: (T: string) => string;
}

const none = () => "";

const DEFINITIONS: Record<Activation, Definition> = {
  gelu: {
    helpers: ERF,
    value: () => "return 0.5 * x * (1.0 + erf_(x * 0.70710678118654752));",
    derivative: () =>
      "return 0.5 * (1.0 + erf_(x * 0.70710678118654752)) + x * 0.3989422804014327 * exp(-0.5 * x * x);",
  },
  geluTanh: {
    helpers: TANH,
    value: () => "return 0.5 * x * (1.0 + tanh_(0.7978845608028654 * (x + 0.044715 * x * x * x)));",
    derivative: () =>
      `let t = tanh_(0.7978845608028654 * (x + 0.044715 * x * x * x));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * 0.7978845608028654 * (1.0 + 0.134145 * x * x);`,
  },
  relu: {
    helpers: none,
    value: (T) => `return max(x, ${T}(0.0));`,
    derivative: (T) => `return select(${T}(0.0), ${T}(1.0), x > ${T}(0.0));`,
  },
  sigmoid: {
    helpers: SIGMOID,
    value: () => "return sigmoid_(x);",
    derivative: () => "let s = sigmoid_(x); return s * (1.0 - s);",
  },
  tanh: {
    helpers: TANH,
    value: () => "return tanh_(x);",
    derivative: () => "let t = tanh_(x); return 1.0 - t * t;",
  },
  elu: {
    helpers: none,
    value: (T) => `return select(exp(min(x, ${T}(0.0))) - 1.0, x, x > ${T}(0.0));`,
    derivative: (T) => `return select(exp(min(x, ${T}(0.0))), ${T}(1.0), x > ${T}(0.0));`,
  },
  silu: {
    helpers: SIGMOID,
    value: () => "return x * sigmoid_(x);",
    derivative: () => "let s = sigmoid_(x); return s * (1.0 + x * (1.0 - s));",
  },
};

/** WGSL that defines `activation(x)` (and, if asked, `activation_derivative(x)`) for the type `T`. */
export function activationFunctions(
  name: Activation,
  T: "f32" | "vec4f",
  which: { value?: boolean; derivative?: boolean } = { value: true },
): string {
  const { helpers, value, derivative } = DEFINITIONS[name];
  let code = helpers(T);
  if (which.value) code += `fn activation(x: ${T}) -> ${T} { ${value(T)} }\n`;
  if (which.derivative) code += `fn activation_derivative(x: ${T}) -> ${T} { ${derivative(T)} }\n`;
  return code;
}
