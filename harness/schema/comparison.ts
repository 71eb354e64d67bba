/** The schema of what is derived from cells: paired comparisons, fits, single derived figures. */
import { z } from "zod";
import { intervalSchema, paramsSchema } from "./_base.ts";

const side = z.strictObject({
  variant: z.string().meta({ description: "Variant" }),
  params: paramsSchema.default({}),
});

export const verdictSchema = z.enum(["better", "worse", "equivalent", "inconclusive"]).meta({
  description: "Candidate against baseline; equivalent only by a passed equivalence test",
});

export const pairSchema = z.strictObject({
  kind: z.literal("pair").meta({ description: "Kind of comparison" }),
  id: z.string().meta({ description: "Stable name of the comparison" }),
  metric: z.string().meta({ description: "Metric or timed phase compared" }),
  baseline: side.meta({ description: "What is compared against" }),
  candidate: side.meta({ description: "What is compared" }),
  scale: z.enum(["ratio", "difference"]).meta({
    description: "ratio: candidate / baseline; difference: candidate - baseline",
  }),
  estimate: z.number().nullable().meta({ description: "Point estimate; null where it failed" }),
  interval: intervalSchema.nullable().meta({ description: "Interval of the estimate" }),
  n: z.int().nonnegative().meta({ description: "Number of pairs" }),
  pValue: z.number().min(0).max(1).nullable().default(null).meta({
    description: "Two-sided p value of no difference",
  }),
  pAdjusted: z.number().min(0).max(1).nullable().default(null).meta({
    description: "The same after Holm's correction over the comparisons of this run",
  }),
  equivalence: z.strictObject({
    margin: z.number().positive().meta({ description: "Margin declared before the run" }),
    pValue: z.number().min(0).max(1).meta({ description: "Larger of the two one-sided p values" }),
    equivalent: z.boolean().meta({ description: "Both one-sided tests rejected at 5 %" }),
  }).nullable().default(null).meta({ description: "Two one-sided tests (TOST)" }),
  verdict: verdictSchema,
  formulaVersion: z.int().positive().default(1).meta({ description: "Version of the formulas" }),
}).meta({ description: "Two variants compared on paired samples" });

export const fitSchema = z.strictObject({
  kind: z.literal("fit"),
  id: z.string().meta({ description: "Stable name of the fit" }),
  variant: z.string().meta({ description: "Variant fitted" }),
  metric: z.string().meta({ description: "Metric or timed phase on the y axis" }),
  x: z.string().meta({ description: "Parameter or metric on the x axis" }),
  form: z.enum(["power-law"]).meta({ description: "power-law: y = coefficient * x^exponent" }),
  exponent: z.number().nullable().meta({ description: "Exponent; null where the fit failed" }),
  interval: intervalSchema.nullable().meta({ description: "Interval of the exponent" }),
  coefficient: z.number().nullable().meta({ description: "Coefficient" }),
  rSquared: z.number().nullable().meta({ description: "R squared on log axes" }),
  n: z.int().nonnegative().meta({ description: "Number of points" }),
  formulaVersion: z.int().positive().default(1).meta({ description: "Version of the formulas" }),
}).meta({ description: "A fitted law over a sweep" });

export const derivedSchema = z.strictObject({
  kind: z.literal("derived"),
  id: z.string().meta({ description: "Stable name of the figure" }),
  name: z.string().meta({ description: "Words for people, e.g. crossover length" }),
  unit: z.string().meta({ description: "Unit" }),
  value: z.number().nullable().meta({ description: "Value; null where it could not be derived" }),
  interval: intervalSchema.nullable().default(null).meta({ description: "Interval of the value" }),
  detail: z.string().default("").meta({ description: "How it was derived" }),
  formulaVersion: z.int().positive().default(1).meta({ description: "Version of the formulas" }),
}).meta({ description: "A single figure derived from several rows" });

export const comparisonSchema = z.discriminatedUnion("kind", [
  pairSchema,
  fitSchema,
  derivedSchema,
]).meta({ description: "Recomputable from the cells" });

export type Verdict = z.infer<typeof verdictSchema>;
export type PairComparison = z.infer<typeof pairSchema>;
export type Fit = z.infer<typeof fitSchema>;
export type Derived = z.infer<typeof derivedSchema>;
export type Comparison = z.infer<typeof comparisonSchema>;
