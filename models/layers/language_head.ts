import { linearCrossEntropy, matmul, reshape, type Tensor } from "../../engine/mod.ts";

/** Logits [B, T, V] of hidden states [B, T, D] with the tied token table [V, D]. */
export function tiedLogits(hidden: Tensor, tokens: Tensor): Tensor {
  return matmul(hidden, tokens, { transposeB: true });
}

/** Mean next-token cross-entropy with the tied token table, without materialising the logits. */
export function tiedLoss(hidden: Tensor, tokens: Tensor, targets: Tensor): Tensor {
  return linearCrossEntropy(flatten(hidden), tokens, targets.view([targets.size]));
}

/** Cross-entropy of each position [B * T]. */
export function tiedTokenLosses(hidden: Tensor, tokens: Tensor, targets: Tensor): Tensor {
  return hidden.gpu.withoutTape(() =>
    linearCrossEntropy(flatten(hidden), tokens, targets.view([targets.size]), { reduction: "none" })
  );
}

/** [B, T, D] as rows [B * T, D]. */
function flatten(hidden: Tensor): Tensor {
  return reshape(hidden, [hidden.size / hidden.dim(-1), hidden.dim(-1)]);
}
