import { streamOf, uniformAt } from "../../engine/mod.ts";
import type { PeerCase } from "./cases.ts";

/** Named host arrays that every library is given alike. */
export type CaseInputs = Readonly<Record<string, Float32Array | Int32Array>>;

/** Batches that the training step cycles through, all uploaded before. */
export const TRAINING_BATCHES = 10;

/**
 * Inputs of a case: uniform in [-1, 1), token tables scaled by 0.1, ids skewed towards small ones as words are. The values depend on
 * the case and the seed only.
 */
export function makeInputs(spec: PeerCase, seed: number): CaseInputs {
  const floats = (name: string, size: number, scale = 1) => {
    const stream = streamOf(name);
    return Float32Array.from(
      { length: size },
      (_, i) => scale * (2 * uniformAt(seed, stream, i) - 1),
    );
  };
  const ids = (name: string, size: number, vocabulary: number) => {
    const stream = streamOf(name);
    // The square favours small ids: a token table's gradient has hot rows in practice.
    return Int32Array.from(
      { length: size },
      (_, i) => Math.floor(vocabulary * uniformAt(seed, stream, i) ** 2),
    );
  };
  switch (spec.operation) {
    case "matmul":
      return {
        a: floats("a", spec.batch * spec.m * spec.k),
        b: floats("b", spec.batch * spec.k * spec.n),
      };
    case "attention": {
      const size = spec.length * spec.heads * spec.headDim;
      return {
        q: floats("q", size),
        k: floats("k", size),
        v: floats("v", size),
        gradient: floats("gradient", size),
      };
    }
    case "prefix-sum":
      return { x: floats("x", spec.length * spec.width) };
    case "layer-norm":
      return {
        x: floats("x", spec.rows * spec.width),
        gain: floats("gain", spec.width),
        offset: floats("offset", spec.width),
      };
    case "softmax":
      return { x: floats("x", spec.rows * spec.width, 4) };
    case "cross-entropy":
      return {
        hidden: floats("hidden", spec.rows * spec.width),
        table: floats("table", spec.vocabulary * spec.width, 0.1),
        targets: ids("targets", spec.rows, spec.vocabulary),
      };
    case "gpt2-inference":
      return { ids: ids("ids", spec.length, spec.vocabulary) };
    case "gpt2-step": {
      const tokens = TRAINING_BATCHES * spec.batch * spec.length;
      return {
        ids: ids("ids", tokens, spec.vocabulary),
        targets: ids("targets", tokens, spec.vocabulary),
      };
    }
  }
}

/** Batch `step` (counted from 0, cycling) of a training case's ids or targets, [B, T] flat. */
export function trainingBatch(
  spec: { readonly batch: number; readonly length: number },
  all: Int32Array,
  step: number,
): Int32Array {
  const size = spec.batch * spec.length;
  const at = (step % TRAINING_BATCHES) * size;
  return all.subarray(at, at + size);
}
