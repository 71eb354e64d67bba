import { add, embedding, slice, type Tensor } from "../../engine/mod.ts";
import { requireLength } from "../model_error.ts";

/**
 * Token embedding plus learned positions.
 *
 * @param what Name of the model, for messages.
 * @param ids Token ids, i32 [B, T].
 * @param tokens Token table [V, D].
 * @param positions Position table [P, D], P >= T.
 * @returns [B, T, D].
 */
export function embedTokens(what: string, ids: Tensor, tokens: Tensor, positions: Tensor): Tensor {
  const [rows, width] = positions.shape;
  const length = ids.dim(1);
  requireLength(what, length, rows);
  const table = length === rows ? positions : slice(positions, [0, 0], [length, width]);
  return add(embedding(tokens, ids), table);
}
