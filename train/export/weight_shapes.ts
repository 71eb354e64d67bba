import type { Gpt2Config, LeapConfig } from "../../models/mod.ts";
import { SafetensorsError } from "../safetensors.ts";
import type { WeightMap } from "./layers_onnx.ts";

type Shapes = Map<string, readonly number[]>;

/** Shape of every parameter of a GPT-2. */
export function gpt2Shapes({ vocabSize, positions, width: D, layers }: Gpt2Config): Shapes {
  const shapes: Shapes = new Map([["wte.weight", [vocabSize, D]], ["wpe.weight", [positions, D]]]);
  const norm = (name: string) => addAffine(shapes, name, [D], D);
  for (let i = 0; i < layers; i++) {
    norm(`h.${i}.ln_1`);
    addAffine(shapes, `h.${i}.attn.c_attn`, [D, 3 * D], 3 * D);
    addAffine(shapes, `h.${i}.attn.c_proj`, [D, D], D);
    norm(`h.${i}.ln_2`);
    addAffine(shapes, `h.${i}.mlp.c_fc`, [D, 4 * D], 4 * D);
    addAffine(shapes, `h.${i}.mlp.c_proj`, [4 * D, D], D);
  }
  norm("ln_f");
  return shapes;
}

/** Shape of every parameter of a LEAP model. */
export function leapShapes(config: LeapConfig): Shapes {
  const { vocabSize, positions, width: D, layers, variant } = config;
  const shapes: Shapes = new Map([
    ["token_embedding.weight", [vocabSize, D]],
    ["position_embedding.weight", [positions, D]],
  ]);
  const bias = (outputs: number) => variant === "2022-08" ? undefined : outputs;
  for (let i = 0; i < layers; i++) {
    const name = `blocks.${i}`;
    addAffine(shapes, `${name}.attention_norm`, [D], D);
    shapes.set(`${name}.projection.weight`, [4 * D, D]);
    addAffine(shapes, `${name}.mlp_norm`, [D], D);
    addAffine(shapes, `${name}.mlp_in`, [4 * D, D], bias(4 * D));
    addAffine(shapes, `${name}.mlp_out`, [D, 4 * D], bias(D));
  }
  addAffine(shapes, "final_norm", [D], D);
  return shapes;
}

function addAffine(shapes: Shapes, name: string, weight: number[], bias?: number): void {
  shapes.set(`${name}.weight`, weight);
  if (bias !== undefined) shapes.set(`${name}.bias`, [bias]);
}

/**
 * Checks that a checkpoint holds exactly the parameters of its own description.
 *
 * @throws {SafetensorsError} Naming the first parameter that is missing, of another shape or too many.
 */
export function requireWeights(weights: WeightMap, shapes: Shapes, name: string): void {
  for (const [key, shape] of shapes) {
    const stored = weights.get(key)?.shape;
    if (stored?.join() !== shape.join()) {
      throw new SafetensorsError(
        `Cannot export ${name}: ${key} is ${stored ? `[${stored}]` : "missing"}, ` +
          `its configuration asks for [${shape}]`,
      );
    }
  }
  const extra = [...weights.keys()].find((key) => !shapes.has(key));
  if (extra !== undefined) {
    throw new SafetensorsError(
      `Cannot export ${name}: it holds ${extra}, which its configuration does not have`,
    );
  }
}
