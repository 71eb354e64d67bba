import type { PublishedFigure } from "../../harness/contract.ts";

const figure = (variant: string, value: number, note: string): PublishedFigure => ({
  id: `${variant}-accuracy`,
  metric: "accuracy",
  unit: "1",
  value,
  variant,
  split: "test",
  note: `${note}; 20 Newsgroups, BERT base uncased, 2 epochs, half of each document removed`,
});

/** Figures of the source's README; comparable under the paper preset only. */
export const published: readonly PublishedFigure[] = [
  figure("source-control", 0.74, "no truncation"),
  figure("source-right", 0.66, "right truncation"),
  figure("source-attention", 0.71, "attention truncation"),
];
