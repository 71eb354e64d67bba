import type { PublishedFigure } from "../../harness/contract.ts";

const hardware = "NVIDIA RTX 2060, mixed precision";

/** Figures of the source's README (WikiText-2, 25 epochs); comparable under the paper preset only. */
export const published: readonly PublishedFigure[] = [
  {
    id: "leap-perplexity",
    metric: "perplexity",
    unit: "1",
    value: 45.6,
    variant: "leap-2022-08",
    split: "test",
    hardware,
  },
  {
    id: "gpt2-perplexity",
    metric: "perplexity",
    unit: "1",
    value: 59.7,
    variant: "gpt2",
    split: "test",
    hardware,
  },
  {
    id: "leap-training-time",
    metric: "training-time",
    unit: "s",
    value: 24 * 60,
    variant: "leap-2022-08",
    hardware,
  },
  {
    id: "gpt2-training-time",
    metric: "training-time",
    unit: "s",
    value: 48 * 60,
    variant: "gpt2",
    hardware,
    note:
      "The source's GPT-2 materialised the T x T scores; ours is trained with the fused attention.",
  },
];
