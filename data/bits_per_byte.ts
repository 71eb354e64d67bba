/**
 * Measures of language-model loss that do not hang on the tokenizer.
 * @module
 */

/**
 * Bits per byte: the summed loss of all predicted tokens, in nats, over the UTF-8 bytes of the text
 * these tokens cover. Unlike perplexity it can be compared between tokenizers, as long as they are
 * lossless.
 * @param nats Summed (not mean) cross-entropy, natural logarithm.
 * @param bytes UTF-8 bytes covered by the predicted tokens.
 */
export function bitsPerByte(nats: number, bytes: number): number {
  if (!(bytes > 0)) {
    throw new RangeError(`Cannot compute bits per byte: bytes is ${bytes}, expected more than 0`);
  }
  return nats / Math.LN2 / bytes;
}

/** Perplexity of a mean cross-entropy in nats per token. */
export function perplexity(nats: number, tokens: number): number {
  if (!(tokens > 0)) {
    throw new RangeError(`Cannot compute perplexity: tokens is ${tokens}, expected more than 0`);
  }
  return Math.exp(nats / tokens);
}
