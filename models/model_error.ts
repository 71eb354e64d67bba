/** A model configuration that breaks a rule. */
export class ConfigError extends RangeError {
  override readonly name = "ConfigError";
}

/** Throws unless every named value is a positive integer. */
export function requirePositiveIntegers(
  what: string,
  values: Readonly<Record<string, number>>,
): void {
  for (const [key, value] of Object.entries(values)) {
    if (!Number.isInteger(value) || value <= 0) {
      throw new ConfigError(
        `Cannot build ${what}: ${key} is ${value}, expected a positive integer`,
      );
    }
  }
}

/** Throws unless `width` splits evenly over `heads`. */
export function requireDivisibleHeads(what: string, width: number, heads: number): void {
  if (width % heads !== 0) {
    throw new ConfigError(
      `Cannot build ${what}: width is ${width} and heads is ${heads}, expected width to be a multiple of heads`,
    );
  }
}

/** Throws unless a probability lies in [0, 1). */
export function requireProbability(what: string, key: string, value: number): void {
  if (!(value >= 0 && value < 1)) {
    throw new ConfigError(
      `Cannot build ${what}: ${key} is ${value}, expected at least 0 and less than 1`,
    );
  }
}

/** Throws unless a sequence fits the position table. */
export function requireLength(what: string, length: number, positions: number): void {
  if (length > positions) {
    throw new ConfigError(
      `Cannot run ${what}: the sequence has ${length} tokens and the position table ${positions} rows; use a shorter ` +
        "sequence or a model with more positions",
    );
  }
}
