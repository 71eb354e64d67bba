import type { PublishedFigure } from "../../harness/contract.ts";

const hardware = "NVIDIA RTX 3080, 80,000 batches in about 12 hours";

interface Row {
  readonly variant: string;
  readonly trainMs: number;
  readonly trainLoss: number;
  readonly inferenceMs: number;
  readonly testLoss: number;
  /** Stage that the times are compared with; the source does not say which it timed. */
  readonly stage?: number;
  readonly note?: string;
}

const ROWS: readonly Row[] = [
  { variant: "gpt2", trainMs: 487, trainLoss: 3.54, inferenceMs: 5.2, testLoss: 3.5 },
  {
    variant: "conv_attention",
    trainMs: 250,
    trainLoss: 1.42,
    inferenceMs: 12.23,
    testLoss: 1.3,
    note:
      "Pooled over targets that are part of the input and targets that are not, so not a loss of a language model.",
  },
  {
    variant: "progressive_diverging",
    trainMs: 655,
    trainLoss: 4.65,
    inferenceMs: 5.0,
    testLoss: 4.7,
    stage: 3,
    note: "The source does not say which stage it timed; ours is the last.",
  },
];

/** Figures of the source; comparable under the paper preset only. */
export const published: readonly PublishedFigure[] = ROWS.flatMap((
  { variant, trainMs, trainLoss, inferenceMs, testLoss, stage, note = "" },
): PublishedFigure[] => {
  const common = { variant, hardware, note };
  const timed = stage === undefined ? {} : { params: { stage } };
  const id = variant.replaceAll("_", "-");
  return [
    {
      ...common,
      id: `${id}-test-loss`,
      metric: "loss",
      unit: "nats/token",
      value: testLoss,
      split: "test",
    },
    {
      ...common,
      id: `${id}-train-loss`,
      metric: "loss",
      unit: "nats/token",
      value: trainLoss,
      split: "train",
    },
    {
      ...common,
      ...timed,
      id: `${id}-batch-time`,
      metric: "training-batch-time",
      unit: "ms",
      value: trainMs,
    },
    {
      ...common,
      ...timed,
      id: `${id}-inference-time`,
      metric: "inference-time",
      unit: "ms",
      value: inferenceMs,
    },
  ];
});
