/** What is compared: each variant is a model, a context length and a target. */

/** Model family of a variant. */
export type Family = "gpt2" | "conv" | "progressive";

/** How a variant differs from the others. */
export interface VariantPlan {
  readonly family: Family;
  /** `base` is GPT-2's published context, `long` that of Convolution Attention. */
  readonly context: "base" | "long";
  /** `next` predicts the token after a position, `horizon` the one factor ^ levels after it. */
  readonly target: "next" | "horizon";
  /** Form of a conv variant. */
  readonly form?: "published" | "causal";
  /** False leaves the LoRA branches out and trains the attention in every stage. */
  readonly lora?: boolean;
  /** What is made equal to `conv_attention` besides context, data and order. */
  readonly equal?: "parameters" | "compute";
  /** One line for the report. */
  readonly meaning: string;
}

/** Variants by name, in the order of the report. */
export const VARIANT_PLANS = {
  gpt2: {
    family: "gpt2",
    context: "base",
    target: "next",
    meaning: "GPT-2 as the source trained it: next token",
  },
  gpt2_horizon: {
    family: "gpt2",
    context: "long",
    target: "horizon",
    meaning: "GPT-2 on the targets of conv_attention: the like-for-like baseline",
  },
  conv_attention: {
    family: "conv",
    context: "long",
    target: "horizon",
    form: "published",
    meaning: "Convolution Attention as published, with its leak",
  },
  conv_attention_causal: {
    family: "conv",
    context: "long",
    target: "horizon",
    form: "causal",
    meaning: "the same pyramid made causal (this suite's own)",
  },
  gpt2_equal_parameters: {
    family: "gpt2",
    context: "long",
    target: "horizon",
    equal: "parameters",
    meaning: "GPT-2 of the width that comes nearest to conv_attention's parameters",
  },
  gpt2_equal_compute: {
    family: "gpt2",
    context: "long",
    target: "horizon",
    equal: "compute",
    meaning: "GPT-2 trained for as many operations as conv_attention",
  },
  progressive_diverging: {
    family: "progressive",
    context: "base",
    target: "next",
    lora: true,
    meaning: "three stages of sharing, with LoRA",
  },
  progressive_no_lora: {
    family: "progressive",
    context: "base",
    target: "next",
    lora: false,
    meaning: "ablation: the same stages, full attention weights trained throughout",
  },
} as const satisfies Record<string, VariantPlan>;

export type Variant = keyof typeof VARIANT_PLANS;

export const VARIANTS = Object.keys(VARIANT_PLANS) as [Variant, ...Variant[]];

/** The plan of a variant, with all optional fields. */
export function planOf(variant: Variant): VariantPlan {
  return VARIANT_PLANS[variant];
}
