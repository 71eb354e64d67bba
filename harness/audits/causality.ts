import type { Audit } from "../schema/cell.ts";
import { SeededRandom } from "../statistics/seeded_random.ts";
import { bitDifferences, type Values, worstOf } from "./differences.ts";
import { type Evidence, makeAudit } from "./make_audit.ts";

/** Tokens [B, T] (row-major) to logits or any per-position output [B, T, V], read back. */
export type TokensToLogits = (tokens: Int32Array) => Promise<Values>;

export interface CausalityOptions {
  readonly subject: string;
  readonly forward: TokensToLogits;
  readonly batch: number;
  readonly length: number;
  readonly vocabulary: number;
  /** Positions to change; default: all up to 32, then a seeded choice that keeps both ends. */
  readonly positions?: readonly number[];
  readonly seed?: number;
}

/** Most positions changed when none are named. */
export const CAUSALITY_POSITIONS = 32;

/**
 * Causality: change token j in row 0 and demand that every output before j in that row, and every
 * output of the other rows, keeps its exact bits. The planted faults are the same model behind
 * wrappers that leak one future token and that leak between rows.
 */
export async function auditCausality(options: CausalityOptions): Promise<Audit> {
  const { batch, length, vocabulary, forward } = options;
  const random = new SeededRandom(options.seed ?? 1);
  const tokens = Int32Array.from({ length: batch * length }, () => random.nextInt(vocabulary));
  const positions = options.positions ?? choosePositions(length, random);
  const evidence = await changeTokens(forward, options, tokens, positions);
  // One position is enough to catch a leak; every planted fault costs two forward passes.
  const probe = positions.filter((position) => position > 0).slice(-1);
  const canaries = [await changeTokens(leakFuture(options), options, tokens, probe)];
  if (batch > 1) canaries.push(await changeTokens(leakRows(options), options, tokens, probe));
  return makeAudit({
    id: "causality",
    subject: options.subject,
    evidence,
    threshold: 0,
    canaries,
    compared: `outputs that must not see a changed token, over ${positions.length} positions ` +
      `of ${length}, differing bits`,
  });
}

async function changeTokens(
  forward: TokensToLogits,
  { batch, length, vocabulary }: CausalityOptions,
  tokens: Int32Array,
  positions: readonly number[],
): Promise<Evidence> {
  const before = Float32Array.from(await forward(tokens));
  const width = before.length / (batch * length);
  const parts: Evidence[] = [];
  for (const position of positions) {
    const changed = tokens.slice();
    changed[position] = (changed[position] + 1) % vocabulary;
    const after = Float32Array.from(await forward(changed));
    const row = length * width;
    parts.push(
      bitDifferences(before.subarray(0, position * width), after.subarray(0, position * width)),
      bitDifferences(before.subarray(row), after.subarray(row)),
    );
  }
  return worstOf(parts);
}

/** The model, but each position also gets the token after it added to its first output. */
function leakFuture({ forward, batch, length }: CausalityOptions): TokensToLogits {
  return async (tokens) => {
    const logits = Float32Array.from(await forward(tokens));
    const width = logits.length / (batch * length);
    for (let b = 0; b < batch; b++) {
      for (let t = 0; t + 1 < length; t++) {
        logits[(b * length + t) * width] += 1 + tokens[b * length + t + 1];
      }
    }
    return logits;
  };
}

/** The model, but the last row also sees the tokens of the first. */
function leakRows({ forward, batch, length }: CausalityOptions): TokensToLogits {
  return async (tokens) => {
    const logits = Float32Array.from(await forward(tokens));
    const width = logits.length / (batch * length);
    for (let t = 0; t < length; t++) {
      logits[((batch - 1) * length + t) * width] += 1 + tokens[t];
    }
    return logits;
  };
}

function choosePositions(length: number, random: SeededRandom): number[] {
  const all = Array.from({ length }, (_, t) => t);
  if (length <= CAUSALITY_POSITIONS) return all;
  const inner = random.shuffle(all.slice(1, -1)).slice(0, CAUSALITY_POSITIONS - 2);
  return [0, ...inner, length - 1].sort((a, b) => a - b);
}
