import type { Tensor } from "../../../engine/mod.ts";
import type { LeapDropout, LeapOptions, LeapVariant } from "../../../attention/leap/mod.ts";
import type { ReferenceLeapInput } from "../../../attention/leap/reference.ts";
import { gpu } from "../../_helpers/gpu.ts";
import { randomArray } from "../../_helpers/gradients.ts";

export const VARIANTS: readonly LeapVariant[] = ["2022-08", "1.0"];

/** Sizes and options of one compared call. */
export interface LeapCase {
  readonly variant: LeapVariant;
  readonly B: number;
  readonly T: number;
  readonly H: number;
  readonly d: number;
  readonly window: number;
  readonly rescale?: number;
  readonly mask?: Int32Array;
  readonly dropout?: LeapDropout;
}

/** A call with standard normal data. */
export function leapInput(c: LeapCase): ReferenceLeapInput & { packed: Float32Array } {
  return { ...c, packed: randomArray(c.B * c.T * 4 * c.H * c.d, 1) };
}

/** Output and packed gradient of one form of the mechanism on the GPU. */
export async function runLeap(
  input: ReferenceLeapInput & { packed: Float32Array },
  upstream: Float32Array,
  attention: (packed: Tensor, options: LeapOptions) => Tensor,
): Promise<{ output: Float32Array; gradient: Float32Array }> {
  const { B, T, H, d } = input;
  const { output, gradient } = gpu.scope(() => {
    const packed = gpu.tensor(input.packed, [B, T, 4, H, d]);
    packed.requiresGrad = true;
    const mask = input.mask && gpu.tensor(Int32Array.from(input.mask), [B, T]);
    return gpu.withTape((tape) => {
      const y = attention(packed, { ...input, mask });
      const output = gpu.readLater(y);
      const [gradient] = tape.backward(y, gpu.tensor(upstream, y.shape), [packed]);
      return { output, gradient: gpu.readLater(gradient!) };
    });
  });
  gpu.submit();
  return {
    output: await output.value as Float32Array,
    gradient: await gradient.value as Float32Array,
  };
}
