/** The normal and Student's t distribution, to about twelve digits. */

/** Logarithm of the gamma function for x > 0 (Lanczos, g = 7). */
export function logGamma(x: number): number {
  const g = [
    0.99999999999980993,
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7,
  ];
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  let sum = g[0];
  for (let i = 1; i < 9; i++) sum += g[i] / (z + i);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Regularised incomplete beta function I_x(a, b), by Lentz's continued fraction. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    a * Math.log(x) + b * Math.log(1 - x) + logGamma(a + b) - logGamma(a) - logGamma(b),
  ) / a;
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / (Math.abs(1 - (a + b) * x / (a + 1)) < tiny ? tiny : 1 - (a + b) * x / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 300; m++) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    let delta = 1;
    for (const term of [even, odd]) {
      d = 1 + term * d;
      d = 1 / (Math.abs(d) < tiny ? tiny : d);
      c = 1 + term / c;
      if (Math.abs(c) < tiny) c = tiny;
      delta = c * d;
      fraction *= delta;
    }
    if (Math.abs(delta - 1) < 1e-15) break;
  }
  return front * fraction;
}

/** P(T <= t) of Student's t with `df` degrees of freedom. */
export function studentTCdf(t: number, df: number): number {
  if (!(df > 0)) throw new RangeError(`Cannot evaluate Student's t: df is ${df}, expected > 0`);
  const tail = 0.5 * incompleteBeta(df / (df + t * t), df / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** Value below which Student's t falls with probability p. */
export function studentTQuantile(p: number, df: number): number {
  return invert((t) => studentTCdf(t, df), p);
}

/** P(Z <= z) of the standard normal distribution. */
export function normalCdf(z: number): number {
  const half = 0.5 * upperGammaHalf(z * z / 2);
  return z > 0 ? 1 - half : half;
}

/** Value below which the standard normal falls with probability p. */
export function normalQuantile(p: number): number {
  return invert(normalCdf, p);
}

/** erfc(sqrt(x)): the regularised upper incomplete gamma function Q(1/2, x). */
function upperGammaHalf(x: number): number {
  if (x <= 0) return 1;
  const scale = Math.exp(-x + 0.5 * Math.log(x) - 0.5 * Math.log(Math.PI));
  if (x < 1.5) {
    let term = 2;
    let sum = term;
    for (let k = 1; k < 200 && term > sum * 1e-17; k++) sum += term *= x / (0.5 + k);
    return 1 - sum * scale;
  }
  let b = x + 0.5;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let i = 1; i < 300; i++) {
    const an = -i * (i - 0.5);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return scale * fraction;
}

/** Inverse of an increasing distribution function by bisection: slow, exact and short. */
function invert(cdf: (x: number) => number, p: number): number {
  if (!(p > 0 && p < 1)) {
    throw new RangeError(`Cannot invert a distribution: p is ${p}, expected 0 < p < 1`);
  }
  let low = -1;
  let high = 1;
  while (cdf(low) > p) low *= 2;
  while (cdf(high) < p) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-13 * Math.max(1, Math.abs(low)); i++) {
    const middle = (low + high) / 2;
    if (cdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
