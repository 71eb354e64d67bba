/** Quality of predictions over one test set. */
export interface Quality {
  readonly accuracy: number;
  readonly macroF1: number;
  /** Whether each document was right, in order. */
  readonly correct: readonly boolean[];
}

/**
 * Accuracy, and F1 averaged over the classes that occur among labels or predictions.
 *
 * @throws {RangeError} If there is nothing to score or the lengths differ.
 */
export function qualityOf(predicted: ArrayLike<number>, labels: ArrayLike<number>): Quality {
  if (labels.length === 0 || predicted.length !== labels.length) {
    throw new RangeError(
      `Cannot score predictions: there are ${predicted.length} for ${labels.length} documents, expected as many and not 0`,
    );
  }
  const correct = Array.from(labels, (label, i) => label === predicted[i]);
  const classes = new Set([...Array.from(labels), ...Array.from(predicted)]);
  let f1 = 0;
  for (const c of classes) {
    let [hits, found, there] = [0, 0, 0];
    for (let i = 0; i < labels.length; i++) {
      if (predicted[i] === c) found++;
      if (labels[i] === c) there++;
      if (predicted[i] === c && labels[i] === c) hits++;
    }
    f1 += 2 * hits / (found + there);
  }
  return {
    accuracy: correct.filter(Boolean).length / correct.length,
    macroF1: f1 / classes.size,
    correct,
  };
}
