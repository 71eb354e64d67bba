import { auditParity, makeAudit, type NamedPair, relativeError } from "../../harness/audits/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { EncoderAttention } from "../../models/mod.ts";
import { attentionValues, drawQkv } from "./attention_case.ts";
import { faultyAttention, variantCases } from "./audit_cases.ts";

/** Largest error of fused against naive, relative to the RMS of each tensor. */
export const PARITY_THRESHOLD = 1e-3;

/**
 * Output and gradient of one variant, fused against naive. A speed is reported only where this holds; `subjects` are the forms that
 * get one.
 */
export async function auditVariant(
  context: TaskContext,
  name: string,
  subjects: readonly string[],
): Promise<void> {
  const seed = context.seed("audit");
  const pairs: NamedPair[] = [];
  const cases = variantCases(name);
  for (const [i, { given, fused, naive }] of cases.entries()) {
    context.signal.throwIfAborted();
    const qkv = drawQkv(given, seed, i);
    const got = await attentionValues(context, fused, given, qkv, seed);
    const want = await attentionValues(context, naive, given, qkv, seed);
    for (const key of ["output", "gradient"] as const) {
      pairs.push({ name: `${key} (${given.name})`, got: got[key], want: want[key] });
    }
    context.progress((i + 1) / cases.length, given.name);
  }
  for (const subject of subjects) {
    context.audit(auditParity({ subject, pairs, threshold: PARITY_THRESHOLD }));
  }
  await auditPattern(context, name, seed);
}

/** Whether parity would see a pattern that is wrong by a little: the naive form with such a pattern must go red. */
async function auditPattern(context: TaskContext, name: string, seed: number): Promise<void> {
  const faulty = faultyAttention(name);
  if (!faulty) return;
  const [{ given, fused, naive }] = variantCases(name);
  const qkv = drawQkv(given, seed, 17);
  const output = async (attention: EncoderAttention) =>
    (await attentionValues(context, attention, given, qkv, seed)).output;
  const got = await output(fused);
  context.audit(makeAudit({
    ...{ id: "pattern", subject: name, threshold: PARITY_THRESHOLD },
    evidence: relativeError(got, await output(naive)),
    canaries: [relativeError(got, await output(faulty))],
    compared:
      "fused against naive output, error relative to the RMS; planted: the naive form with a pattern wrong by a little",
  }));
}
