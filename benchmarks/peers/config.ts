import { z } from "zod";
import type { PeerCase } from "./cases.ts";
import { PEER_NAMES } from "./packages.ts";

const size = z.int().positive();

const matmulSchema = z.strictObject({ batch: size.default(1), m: size, k: size, n: size });
const attentionSchema = z.strictObject({
  heads: size,
  headDim: size,
  length: size,
  causal: z.boolean().default(true),
  phase: z.enum(["forward", "forward+backward"]),
});
const scanSchema = z.strictObject({ length: size, width: size });
const rowsSchema = z.strictObject({ rows: size, width: size });
const crossEntropySchema = z.strictObject({
  rows: size,
  width: size,
  vocabulary: size.min(2),
  phase: z.enum(["forward", "forward+backward"]),
});
const gpt2Sizes = {
  length: size,
  width: size,
  heads: size,
  layers: size,
  vocabulary: size.min(2),
};
const wholeHeads = ({ width, heads }: { width: number; heads: number }) => width % heads === 0;
const headsMessage = { message: "width must be a multiple of heads" };
const gpt2Schema = z.strictObject({ batch: size, ...gpt2Sizes }).refine(wholeHeads, headsMessage);
const inferenceSchema = z.strictObject(gpt2Sizes).refine(wholeHeads, headsMessage);

/** Configuration of the `peers` benchmark. */
export const peersConfigSchema = z.strictObject({
  libraries: z.array(z.enum(PEER_NAMES)).default([...PEER_NAMES]).meta({
    description: "Libraries to compare with; our engine always takes part",
  }),
  matmul: z.array(matmulSchema).meta({ description: "Matrix products" }),
  attention: z.array(attentionSchema).meta({ description: "Attention cases" }),
  prefixSum: z.array(scanSchema).meta({ description: "Running sums over the length" }),
  layerNorm: z.array(rowsSchema).meta({ description: "Layer norms" }),
  softmax: z.array(rowsSchema).meta({ description: "Softmaxes over the last axis" }),
  crossEntropy: z.array(crossEntropySchema).meta({ description: "Cross-entropy of a head" }),
  gpt2Step: z.array(gpt2Schema).meta({ description: "GPT-2 training steps with AdamW" }),
  gpt2Inference: z.array(inferenceSchema).meta({
    description: "GPT-2 at work: a pass over a prompt, and tokens one at a time on a cache",
  }),
  samples: size.meta({ description: "Blocks: samples of every library per case" }),
  minSampleMs: z.number().positive().meta({
    description: "Shortest sample; shorter work is repeated before the one wait",
  }),
  maxSecondsPerCase: z.number().positive().meta({
    description: "Timed seconds after which a library's case gets no more samples (but at least 3)",
  }),
  lossSteps: size.meta({ description: "First training steps whose losses must agree" }),
  ledger: z.boolean().meta({
    description: "Take peak bytes, dispatches and submissions, each case in a worker of its own",
  }),
});

/** Configuration with all defaults filled in. */
export type PeersConfig = z.infer<typeof peersConfigSchema>;

/** All cases of a configuration, long ones last within their kind. */
export function casesOf(config: PeersConfig): PeerCase[] {
  return [
    ...config.matmul.map((item) => ({ operation: "matmul" as const, ...item })),
    ...config.attention.map((item) => ({ operation: "attention" as const, ...item })),
    ...config.prefixSum.map((item) => ({ operation: "prefix-sum" as const, ...item })),
    ...config.layerNorm.map((item) => ({ operation: "layer-norm" as const, ...item })),
    ...config.softmax.map((item) => ({ operation: "softmax" as const, ...item })),
    ...config.crossEntropy.map((item) => ({ operation: "cross-entropy" as const, ...item })),
    ...config.gpt2Inference.flatMap((item) =>
      (["first-token", "decode"] as const).map((phase) => ({
        operation: "gpt2-inference" as const,
        phase,
        ...item,
      }))
    ),
    ...config.gpt2Step.map((item) => ({ operation: "gpt2-step" as const, ...item })),
  ];
}
