import { ShapeError } from "../errors.ts";
import { accumulateKernel } from "../kernels/accumulate.ts";
import type { Tensor } from "../tensor.ts";

/** Adds `x` to `target` in place, or copies it there. Not differentiable; used by the tape and the optimizer. */
export function addInto(target: Tensor, x: Tensor, mode: "add" | "copy" = "add"): void {
  if (target.size !== x.size) {
    throw new ShapeError(`Cannot ${mode} ${x} into ${target}: the sizes differ`);
  }
  if (x.size > 0) target.gpu.run(accumulateKernel(x.size, mode), [x, target]);
}
