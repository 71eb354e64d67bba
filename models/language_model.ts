import type { Gpu, ParameterSet, Tensor } from "../engine/mod.ts";

/** Options of a forward pass. */
export interface ForwardOptions {
  /** Seed of this step's dropout masks; left out in evaluation, where nothing is dropped. */
  readonly dropoutSeed?: number;
  /** 1 for real tokens, 0 for padding, i32 [B, T]. Everything is real when left out. */
  readonly keyMask?: Tensor;
}

/** A causal language model: token ids in, next-token distribution out. */
export interface LanguageModel {
  readonly name: string;
  readonly gpu: Gpu;
  readonly parameters: ParameterSet;
  readonly vocabSize: number;
  /** Longest context, the rows of the position table. */
  readonly positions: number;

  /** Values in the token and position tables, which look up rather than compute. */
  readonly tableParameters: number;

  /** Final hidden states [B, T, D] of ids i32 [B, T], after the last layer norm. */
  hidden(ids: Tensor, options?: ForwardOptions): Tensor;
  /** Logits [B, T, V]; for inspection and decoding, training uses `loss`. */
  logits(ids: Tensor, options?: ForwardOptions): Tensor;
  /** Mean cross-entropy in nats over the targets i32 [B, T] that are not -1; logits are never materialised. */
  loss(ids: Tensor, targets: Tensor, options?: ForwardOptions): Tensor;
  /** Cross-entropy of every position [B * T] in nats, 0 where the target is -1. Not differentiable. */
  tokenLosses(ids: Tensor, targets: Tensor): Tensor;
  /** Token-by-token generation for `batch` sequences. */
  decoder(batch: number): Decoder;
  /** Floating-point operations of one forward pass over [B, T], and of the backward pass. */
  flops(batch: number, length: number): { readonly forward: number; readonly backward: number };
  dispose(): void;
}

/** Decoding state of one batch of sequences. */
export interface Decoder {
  /** Tokens consumed so far. */
  readonly position: number;
  /** Bytes of state after `position` tokens. Constant for a recurrent model, growing for a cache. */
  readonly stateBytes: number;
  /** Consumes one token per sequence, i32 [B], and returns the logits [B, V] of the next. */
  step(ids: Tensor): Tensor;
  /** Forgets everything. */
  reset(): void;
  dispose(): void;
}
