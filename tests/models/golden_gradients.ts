import type { ParameterSet } from "../../engine/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { gpu } from "../_helpers/gpu.ts";

/** A whole gradient, or every stride-th element of a large one with its norm. */
export interface GoldenGradient {
  readonly shape: number[];
  readonly data: number[];
  readonly norm?: number;
  readonly offset?: number;
  readonly stride?: number;
}

/** Compares the gradient of every parameter, and the norm of all of them together, with a golden file. */
export async function checkGradients(
  parameters: ParameterSet,
  gradients: Record<string, GoldenGradient>,
  norm: number,
  nameOf: (name: string) => string = (name) => name,
): Promise<void> {
  let sum = 0;
  for (const parameter of parameters) {
    const got = await gpu.readFloats(parameter.gradient);
    sum += got.reduce((total, g) => total + g * g, 0);
    const { data, offset = 0, stride = 1, norm: own } = gradients[nameOf(parameter.name)];
    const picked = data.map((_, j) => got[offset + j * stride]);
    assertClose(`gradient of ${parameter.name}`, picked, data, { relative: 1e-4, absolute: 1e-7 });
    if (own !== undefined) {
      assertClose(`norm of ${parameter.name}`, [Math.hypot(...got)], [own], { relative: 1e-4 });
    }
  }
  assertClose("norm of all gradients", [Math.sqrt(sum)], [norm], { relative: 1e-4 });
}
