import type { AttentionFlops } from "../softmax/flops.ts";
import { sparseFlops } from "../block_sparse/flops.ts";
import { attentionFlops } from "../softmax/flops.ts";
import { attendsFully, type LsgPattern } from "./options.ts";
import { lsgSlotPattern } from "./pattern.ts";

/** Sizes that decide the arithmetic of LSG attention. */
export interface LsgFlopsOptions extends LsgPattern {
  readonly B: number;
  readonly H: number;
  /** Text tokens, without the globals. */
  readonly T: number;
  readonly d: number;
}

/** Multiply-adds, counted as two, of the pairs that LSG attention visits; the selection of the sparse keys is not in it. */
export function lsgFlops(options: LsgFlopsOptions): AttentionFlops {
  const { B, H, T, d, globals, blockSize, causal = false } = options;
  if (attendsFully(options, T)) return attentionFlops({ B, H, T: globals + T, d, causal });
  const slots = lsgSlotPattern(options, T);
  const clamp = (slot: number) => Math.max(0, Math.min(slots?.count ?? 0, slot));
  const width = (start: number) => slots ? clamp(start + slots.reach) - clamp(start) : 0;
  let pairs = causal ? 0 : globals * (globals + T);
  for (let block = 0; block * blockSize < T; block++) {
    const first = block * blockSize;
    const rows = Math.min(blockSize, T - first);
    const before = Math.min(first, blockSize);
    const after = causal ? 0 : Math.min(T - first - rows, blockSize);
    const own = causal ? (rows + 1) / 2 : rows;
    const left = slots ? width((block - 1) * slots.perBlock - slots.reach) : 0;
    const right = slots?.bothSides ? width((block + slots.right) * slots.perBlock) : 0;
    pairs += rows * (globals + before + own + after + left + right);
  }
  return sparseFlops(B * H * pairs, d);
}
