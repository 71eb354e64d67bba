import { add, dropout, matmul, streamOf, type Tensor } from "../../engine/mod.ts";
import type { ForwardOptions } from "../language_model.ts";

/** Dropout at one place of a model; places have names so that their masks never coincide. */
export interface DropoutSite {
  readonly p: number;
  readonly seed: number;
  readonly stream: number;
}

/** The dropout of a site in this pass, or undefined when nothing is to be dropped. */
export function dropoutSite(
  name: string,
  p: number,
  options: ForwardOptions,
): DropoutSite | undefined {
  if (options.dropoutSeed === undefined || p === 0) return undefined;
  return { p, seed: options.dropoutSeed, stream: streamOf(name) };
}

/** Applies dropout where the site is active. */
export function maybeDropout(x: Tensor, site: DropoutSite | undefined): Tensor {
  return site ? dropout(x, site) : x;
}

/** Weights of an affine map; `weight` is [in, out], or [out, in] with `transposed`. */
export interface LinearWeights {
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly transposed?: boolean;
}

/** residual + dropout(x W + b), in the product's own kernel where nothing is dropped. */
export function residualLinear(
  residual: Tensor,
  x: Tensor,
  { weight, bias, transposed }: LinearWeights,
  site: DropoutSite | undefined,
): Tensor {
  if (!site) return matmul(x, weight, { bias, transposeB: transposed, residual });
  return add(residual, dropout(matmul(x, weight, { bias, transposeB: transposed }), site));
}
