import type { Audit } from "../schema/cell.ts";
import { bitDifferences, type Values } from "./differences.ts";
import { makeAudit } from "./make_audit.ts";

export interface DeterminismOptions {
  readonly subject: string;
  /** Runs the whole thing from the same seed: losses, weights, logits. */
  readonly run: () => Promise<Values>;
}

/** Determinism: two runs from one seed give the same bits. The planted fault flips one bit. */
export async function auditDeterminism(options: DeterminismOptions): Promise<Audit> {
  const first = Float32Array.from(await options.run());
  const second = Float32Array.from(await options.run());
  const flipped = second.slice();
  const bits = new Uint32Array(flipped.buffer);
  // In a clean pair this makes one difference; in an unclean one it must not hide one.
  if (bits.length > 0) bits[bits.length >> 1] = new Uint32Array(first.buffer)[bits.length >> 1] ^ 1;
  return makeAudit({
    id: "determinism",
    subject: options.subject,
    evidence: bitDifferences(first, second),
    threshold: 0,
    canaries: [bitDifferences(first, flipped)],
    compared: "two runs from the same seed, differing values",
  });
}
