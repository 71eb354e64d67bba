import type { Gpu } from "../../engine/mod.ts";
import type { LeapVariant } from "../../attention/mod.ts";
import { Gpt2, type LanguageModel, Leap } from "../../models/mod.ts";
import type { Variant } from "./config.ts";

/** Sizes that all models of a comparison share. */
export interface SharedSizes {
  readonly vocabSize: number;
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  readonly dropout?: number;
  /** LEAP's windows; the revision's default when null. */
  readonly windows?: readonly number[] | null;
}

/** How a model is written: `naive` of plain operations, `fused` with the mechanism's own kernels. */
export type Form = "naive" | "fused";

/** Revision of each LEAP variant. */
const REVISIONS: Readonly<Record<Exclude<Variant, "gpt2">, LeapVariant>> = {
  "leap-2022-08": "2022-08",
  "leap-1.0": "1.0",
  "leap-1.0.1": "1.0.1",
};

/** Builds a variant. */
export function buildModel(
  gpu: Gpu,
  variant: Variant,
  sizes: SharedSizes,
  seed: number,
  form: Form = "fused",
): LanguageModel {
  if (variant === "gpt2") {
    const { vocabSize, positions, width, heads, layers, dropout } = sizes;
    const config = { vocabSize, positions, width, heads, layers, dropout, attention: form };
    return new Gpt2(gpu, config, seed);
  }
  return buildLeap(gpu, variant, sizes, seed, form);
}

/** Builds a LEAP variant, keeping its own type. */
export function buildLeap(
  gpu: Gpu,
  variant: Exclude<Variant, "gpt2">,
  { windows, ...shared }: SharedSizes,
  seed: number,
  form: Form = "fused",
): Leap {
  return new Leap(gpu, {
    ...shared,
    variant: REVISIONS[variant],
    windows: windows ?? undefined,
    form,
  }, seed);
}
