import { attentionFlops } from "../../attention/mod.ts";
import { gpt2Flops } from "../../models/mod.ts";
import type { PeerCase } from "./cases.ts";

/** Analytic work of one run. */
export interface CaseCost {
  readonly flops: number | null;
  /** Bytes that must move if every input is read once and every output written once. */
  readonly bytes: number | null;
}

/**
 * Work that the operation needs, whatever a library actually does: visible pairs only for causal attention, no recomputation. Shares of
 * the roofline of all libraries rest on the same figure.
 */
export function caseCost(spec: PeerCase): CaseCost {
  switch (spec.operation) {
    case "matmul": {
      const { batch, m, k, n } = spec;
      return { flops: 2 * batch * m * k * n, bytes: 4 * batch * (m * k + k * n + m * n) };
    }
    case "attention": {
      const { heads: H, length: T, headDim: d, causal } = spec;
      const flops = attentionFlops({ B: 1, H, T, d, causal });
      const tensor = 4 * T * H * d;
      return spec.phase === "forward"
        ? { flops: flops.forward, bytes: 4 * tensor }
        : { flops: flops.forward + flops.backwardModel, bytes: 8 * tensor };
    }
    case "prefix-sum":
      return { flops: null, bytes: 8 * spec.length * spec.width };
    case "layer-norm":
    case "softmax":
      return { flops: null, bytes: 8 * spec.rows * spec.width };
    case "cross-entropy": {
      const { rows, width, vocabulary } = spec;
      const product = 2 * rows * width * vocabulary;
      const operands = 4 * (rows * width + vocabulary * width);
      return spec.phase === "forward"
        ? { flops: product, bytes: operands }
        : { flops: 3 * product, bytes: 2 * operands };
    }
    case "gpt2-inference": {
      // Token by token the same products are done and every query sees the same keys.
      const { length, width, heads, layers, vocabulary: vocabSize } = spec;
      const config = { vocabSize, positions: length, width, heads, layers };
      return { flops: gpt2Flops(config, 1, length).forward, bytes: null };
    }
    case "gpt2-step": {
      const { batch, length, width, heads, layers, vocabulary: vocabSize } = spec;
      const config = { vocabSize, positions: length, width, heads, layers };
      const { forward } = gpt2Flops(config, batch, length);
      const attention = attentionFlops({
        B: batch,
        H: heads,
        T: length,
        d: width / heads,
        causal: true,
      });
      const products = forward - layers * attention.forward;
      return {
        flops: forward + 2 * products + layers * attention.backwardModel,
        bytes: null,
      };
    }
  }
}
