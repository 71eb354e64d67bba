import type { Gpt2Config, LeapConfig } from "../../models/mod.ts";
import { SafetensorsError } from "../safetensors_error.ts";
import type { WeightMap } from "./layers_onnx.ts";

/** Name and shape of parameters, one after the other. */
export type Shapes = Generator<readonly [name: string, shape: readonly number[]]>;

/** Shape of every parameter of a GPT-2. */
export function* gpt2Shapes(config: Gpt2Config): Shapes {
  const { vocabSize, positions, width: D, layers } = config;
  yield ["wte.weight", [vocabSize, D]];
  yield ["wpe.weight", [positions, D]];
  for (let i = 0; i < layers; i++) {
    yield* affine(`h.${i}.ln_1`, [D], D);
    yield* affine(`h.${i}.attn.c_attn`, [D, 3 * D], 3 * D);
    yield* affine(`h.${i}.attn.c_proj`, [D, D], D);
    yield* affine(`h.${i}.ln_2`, [D], D);
    yield* affine(`h.${i}.mlp.c_fc`, [D, 4 * D], 4 * D);
    yield* affine(`h.${i}.mlp.c_proj`, [4 * D, D], D);
  }
  yield* affine("ln_f", [D], D);
}

/** Shape of every parameter of a LEAP model. */
export function* leapShapes(config: LeapConfig): Shapes {
  const { vocabSize, positions, width: D, layers, variant } = config;
  const bias = (outputs: number) => variant === "2022-08" ? undefined : outputs;
  yield ["token_embedding.weight", [vocabSize, D]];
  yield ["position_embedding.weight", [positions, D]];
  for (let i = 0; i < layers; i++) {
    const name = `blocks.${i}`;
    yield* affine(`${name}.attention_norm`, [D], D);
    yield [`${name}.projection.weight`, [4 * D, D]];
    yield* affine(`${name}.mlp_norm`, [D], D);
    yield* affine(`${name}.mlp_in`, [4 * D, D], bias(4 * D));
    yield* affine(`${name}.mlp_out`, [D, 4 * D], bias(D));
  }
  yield* affine("final_norm", [D], D);
}

function* affine(name: string, weight: number[], bias?: number): Shapes {
  yield [`${name}.weight`, weight];
  if (bias !== undefined) yield [`${name}.bias`, [bias]];
}

/**
 * Checks that a checkpoint holds exactly the parameters of its own description.
 *
 * @throws {SafetensorsError} Naming the first parameter that is missing, of another shape or too many.
 */
export function requireWeights(weights: WeightMap, shapes: Shapes, name: string): void {
  const expected = new Set<string>();
  for (const [key, shape] of shapes) {
    expected.add(key);
    const stored = weights.get(key)?.shape;
    if (stored?.join() !== shape.join()) {
      throw new SafetensorsError(
        `Cannot export ${name}: ${key} is ${stored ? `[${stored}]` : "missing"}, ` +
          `its configuration asks for [${shape}]`,
      );
    }
  }
  const extra = [...weights.keys()].find((key) => !expected.has(key));
  if (extra !== undefined) {
    throw new SafetensorsError(
      `Cannot export ${name}: it holds ${extra}, which its configuration does not have`,
    );
  }
}
