import { constant, type Initializer, normal } from "../../engine/mod.ts";
import type { Gpt2Case } from "./cases.ts";

/** Sizes that the weights depend on; `length` is the number of positions. */
export type Gpt2Sizes = Pick<Gpt2Case, "length" | "width" | "heads" | "layers" | "vocabulary">;

/** One parameter of the training case. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether weight decay applies. */
  readonly decay: boolean;
  readonly values: Float32Array;
}

/** Constants of the training case, the same in every library. */
export const TRAINING = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  normEpsilon: 1e-5,
} as const;

const INITIALIZER_RANGE = 0.02;

/**
 * Initial weights of a GPT-2: names, shapes and values are those that `Gpt2` of this suite draws from the same seed (a test compares
 * them), so every library starts from the same bits.
 */
export function gpt2Weights(spec: Gpt2Sizes, seed: number): WeightSpec[] {
  const { width: D, layers, vocabulary, length } = spec;
  const weights: WeightSpec[] = [];
  const add = (name: string, shape: number[], init: Initializer) => {
    const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
    init(values, seed, name);
    weights.push({ name, shape, decay: shape.length >= 2, values });
  };
  const linear = (name: string, inputs: number, outputs: number, std: number) => {
    add(`${name}.weight`, [inputs, outputs], normal(std));
    add(`${name}.bias`, [outputs], constant(0));
  };
  const norm = (name: string) => {
    add(`${name}.weight`, [D], constant(1));
    add(`${name}.bias`, [D], constant(0));
  };
  const std = INITIALIZER_RANGE;
  const residual = std / Math.sqrt(2 * layers);
  add("wte.weight", [vocabulary, D], normal(std));
  add("wpe.weight", [length, D], normal(std));
  for (let i = 0; i < layers; i++) {
    norm(`h.${i}.ln_1`);
    linear(`h.${i}.attn.c_attn`, D, 3 * D, std);
    linear(`h.${i}.attn.c_proj`, D, D, residual);
    norm(`h.${i}.ln_2`);
    linear(`h.${i}.mlp.c_fc`, D, 4 * D, std);
    linear(`h.${i}.mlp.c_proj`, 4 * D, D, residual);
  }
  norm("ln_f");
  return weights;
}

/** The token table also makes the logits; the model's parameters by name. */
export function weightsByName<T>(
  weights: readonly WeightSpec[],
  place: (weight: WeightSpec) => T,
): Map<string, T> {
  return new Map(weights.map((weight) => [weight.name, place(weight)]));
}
