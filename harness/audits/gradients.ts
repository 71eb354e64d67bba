import type { Audit } from "../schema/cell.ts";
import { SeededRandom } from "../statistics/seeded_random.ts";
import { relativeError } from "./differences.ts";
import { makeAudit } from "./make_audit.ts";

export interface GradientOptions {
  readonly subject: string;
  /** Loss at these parameters (flattened); deterministic. */
  readonly loss: (parameters: Float32Array) => Promise<number>;
  /** Gradient of the loss at these parameters, by backward. */
  readonly gradient: (parameters: Float32Array) => Promise<ArrayLike<number>>;
  readonly parameters: Float32Array;
  /** Directions tried. @default 8 */
  readonly directions?: number;
  /** Length of a step in units of the parameters' root mean square. @default 1e-2 */
  readonly step?: number;
  /** Bound on the error of directional derivatives relative to their RMS. @default 2e-2 */
  readonly threshold?: number;
  readonly seed?: number;
}

/**
 * Gradients: slopes of the loss along random directions, by a fourth-order central difference,
 * against the gradient from backward. Directions of random signs see every parameter at once, and
 * stay above the rounding of an f32 loss where single coordinates would drown in it. The planted
 * faults are a gradient with wrong signs in half of its weight and one that lost a quarter of it.
 */
export async function auditGradients(options: GradientOptions): Promise<Audit> {
  const { parameters, loss } = options;
  const random = new SeededRandom(options.seed ?? 1);
  const count = options.directions ?? 8;
  const gradient = Float64Array.from(await options.gradient(parameters.slice()));
  const square = parameters.reduce((sum, value) => sum + value * value, 0);
  const rms = Math.sqrt(square / Math.max(1, parameters.length)) || 1;
  // A random-sign direction has length sqrt(n); long ones are shortened to stay in the linear part.
  const h = (options.step ?? 1e-2) * rms * Math.min(1, 8 / Math.sqrt(parameters.length));
  const wrongSign = spoil(gradient, 0.5, (value) => -value);
  const lostPart = spoil(gradient, 0.25, () => 0);
  const slopes: number[] = [];
  const claimed: number[][] = [[], [], []];
  for (let k = 0; k < count && parameters.length > 0; k++) {
    const direction = Array.from(parameters, () => random.nextUint32() & 1 ? 1 : -1);
    const at = (scale: number) =>
      loss(parameters.map((value, i) => value + scale * h * direction[i]));
    const near = await at(1) - await at(-1);
    const far = await at(2) - await at(-2);
    slopes.push((8 * near - far) / (12 * h));
    [gradient, wrongSign, lostPart].forEach((vector, which) =>
      claimed[which].push(vector.reduce((sum, value, i) => sum + value * direction[i], 0))
    );
  }
  const evidence = relativeError(claimed[0], slopes);
  return makeAudit({
    id: "gradients",
    subject: options.subject,
    evidence,
    threshold: options.threshold ?? 2e-2,
    canaries: [relativeError(claimed[1], slopes), relativeError(claimed[2], slopes)],
    compared: `gradient of ${parameters.length} parameters against finite differences along ` +
      `${count} directions, error relative to the RMS slope`,
  });
}

/** Changes the largest entries until they hold `share` of the squared norm. */
function spoil(
  gradient: Float64Array,
  share: number,
  change: (value: number) => number,
): Float64Array {
  const copy = gradient.slice();
  const order = Array.from(copy.keys()).sort((a, b) => Math.abs(copy[b]) - Math.abs(copy[a]));
  const wanted = share * copy.reduce((sum, value) => sum + value * value, 0);
  let changed = 0;
  for (const i of order) {
    if (changed >= wanted) break;
    changed += copy[i] ** 2;
    copy[i] = change(copy[i]);
  }
  return copy;
}
