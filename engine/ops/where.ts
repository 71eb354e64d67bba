import { WHERE, WHERE_FALSE, WHERE_TRUE } from "../kernels/pointwise.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, shaped } from "./elementwise.ts";
import { sumTo } from "./sum_to.ts";

/**
 * a where the condition is not 0, else b; all three are broadcast by NumPy's rule (rank up to 6).
 *
 * @param condition f32 tensor, for example of `greater`; it gets no gradient.
 */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const output = elementwise(WHERE, [condition, a, b]);
  return a.gpu.record({
    op: "where",
    inputs: [a, b],
    output,
    backward: (gradient, needs) =>
      [WHERE_TRUE, WHERE_FALSE].map((choice, i) => {
        if (!needs[i]) return undefined;
        const full = elementwise(choice, [condition, shaped(gradient, output.shape)]);
        const summed = sumTo(full, [a, b][i].shape);
        if (full !== summed) full.dispose();
        return summed;
      }),
  });
}
