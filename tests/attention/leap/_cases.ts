import { randomArray } from "../../_helpers/gradients.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { gpu } from "../../_helpers/gpu.ts";
import type { Tensor } from "../../../engine/mod.ts";
import type { LeapOptions, LeapVariant, ReferenceLeapInput } from "../../../attention/leap/mod.ts";

export const VARIANTS: readonly LeapVariant[] = ["2022-08", "1.0", "1.0.1"];

/** One compared call: the reference's input without its data. */
export type LeapCase = Omit<ReferenceLeapInput, "packed">;

/** A call with its packed projection in f32. */
export type LeapInput = ReferenceLeapInput & { readonly packed: Float32Array };

/** A call with standard normal data. */
export function leapInput(c: LeapCase): LeapInput {
  return { ...c, packed: randomArray(c.B * c.T * 4 * c.H * c.d, 1) };
}

/** Upstream gradient of a case. */
export const upstreamOf = ({ B, T, H, d }: LeapCase): Float32Array => randomArray(B * T * H * d, 2);

/** A form of the mechanism on the GPU. */
export type Attention = (packed: Tensor, options: LeapOptions) => Tensor;

/** Options of a call as the GPU forms take them; made inside a scope. */
export function gpuOptions(input: LeapCase): LeapOptions {
  const { B, T, keyMask } = input;
  return { ...input, keyMask: keyMask && gpu.tensor(Int32Array.from(keyMask), [B, T]) };
}

/** Output of a form of the mechanism. */
export async function leapOutput(input: LeapInput, attention: Attention): Promise<Float32Array> {
  const { B, T, H, d } = input;
  const output = gpu.scope(() =>
    gpu.readLater(attention(gpu.tensor(input.packed, [B, T, 4, H, d]), gpuOptions(input)))
  );
  gpu.submit();
  return await output.value as Float32Array;
}

/** Output and packed gradient of a form of the mechanism. */
export async function runLeap(
  input: LeapInput,
  upstream: Float32Array,
  attention: Attention,
): Promise<{ output: Float32Array; gradient: Float32Array }> {
  const { B, T, H, d } = input;
  const { output, gradient } = gpu.scope(() => {
    const packed = gpu.tensor(input.packed, [B, T, 4, H, d]);
    packed.requiresGrad = true;
    return gpu.withTape((tape) => {
      const y = attention(packed, gpuOptions(input));
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

/** The elements of one slot of a packed array [B, T, 4, H, d]. */
export function slotOf<A extends Float32Array | Float64Array>(
  packed: A,
  slot: number,
  { H, d }: LeapCase,
): A {
  return packed.filter((_, i) => Math.floor(i / (H * d)) % 4 === slot) as A;
}

/**
 * Compares two packed gradients slot by slot, so that a small one cannot hide behind a large one. Differences up to 5e-6 of the largest
 * element do not count: with window 1 the gradient of the focus is exactly 0, a difference of terms of that size.
 */
export function assertGradientClose(
  name: string,
  actual: Float32Array,
  expected: Float32Array | Float64Array,
  c: LeapCase,
  relative: number,
): void {
  const largest = Float64Array.from(expected).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const tolerance = { relative, absolute: 5e-6 * largest };
  const slots = c.variant === "2022-08" ? ["q", "f1", "f2", "v"] : ["q", "f", "k", "v"];
  slots.forEach((slot, s) =>
    assertClose(
      `${name} gradient of ${slot}`,
      slotOf(actual, s, c),
      slotOf(expected, s, c),
      tolerance,
    )
  );
}

/** Name of a case in messages. */
export const label = ({ variant, rescale, T, window, d }: LeapCase): string =>
  `${variant}${rescale === null ? " no rescale" : ""} T=${T} w=${window} d=${d}`;

/** A padding mask [B, T]: the first row loses its last tokens, the second its first ones and some in between. */
export function paddingMask(B: number, T: number): Int32Array {
  return Int32Array.from({ length: B * T }, (_, i) => {
    const t = i % T;
    if (i < T) return t < T - 5 ? 1 : 0;
    return t > 8 && t % 7 !== 3 ? 1 : 0;
  });
}
