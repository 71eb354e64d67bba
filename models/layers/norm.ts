import {
  constant,
  layerNorm,
  type Parameter,
  type ParameterSet,
  type Tensor,
} from "../../engine/mod.ts";

/** Gain and offset of a layer norm. */
export interface NormWeights {
  readonly weight: Parameter;
  readonly bias: Parameter;
}

/** Declares gain 1 and offset 0 of width `width`. */
export function declareNorm(set: ParameterSet, name: string, width: number): NormWeights {
  return {
    weight: set.add(`${name}.weight`, [width], constant(1)),
    bias: set.add(`${name}.bias`, [width], constant(0)),
  };
}

/** Layer norm of x [..., D] with epsilon 1e-5, the value of every model here. */
export function applyNorm(x: Tensor, { weight, bias }: NormWeights): Tensor {
  return layerNorm(x, weight, bias);
}
