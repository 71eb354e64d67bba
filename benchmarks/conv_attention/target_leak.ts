import { type CausalityOptions, makeAudit, type TokensToLogits } from "../../harness/audits/mod.ts";
import type { Audit } from "../../harness/contract.ts";
import { SeededRandom } from "../../harness/statistics/mod.ts";

/** Options of `auditTargetLeak`. */
export interface TargetLeakOptions extends CausalityOptions {
  /** Distance from a position to the token it predicts. */
  readonly distance: number;
}

/** Most tokens changed. */
const MAX_PROBES = 32;

/** What changing tokens one by one showed. */
interface Leak {
  readonly probes: number;
  /** Probes at which the output that predicts the changed token changed itself. */
  readonly leaks: number;
  /** Farthest an output stood before the token that changed it; 0 where none did. */
  readonly reach: number;
  /** Position of the earliest output that changed before the changed token. */
  readonly earliest: number | null;
}

/**
 * Target leakage: change token j and see whether the output that predicts it, at position j - distance, changes. If it does, the model is told
 * what it is asked. The planted fault is the same model behind a wrapper that adds each position's target to its first logit.
 */
export async function auditTargetLeak(options: TargetLeakOptions): Promise<Audit> {
  const { batch, length, vocabulary, forward, distance, subject } = options;
  const random = new SeededRandom(options.seed ?? 1);
  const tokens = Int32Array.from({ length: batch * length }, () => random.nextInt(vocabulary));
  const candidates = Array.from({ length: length - distance }, (_, i) => i + distance);
  const probes = random.shuffle(candidates).slice(0, MAX_PROBES).sort((a, b) => a - b);
  const found = await changeTokens(forward, options, tokens, probes);
  const planted = await changeTokens(tellTarget(options), options, tokens, probes.slice(-1));
  const where = found.earliest === null
    ? "no output before a changed token changed"
    : `the earliest output that changed stands at position ${found.earliest}, up to ${found.reach} before the token`;
  return makeAudit({
    id: "target-leak",
    subject,
    evidence: { n: found.probes, statistic: found.leaks },
    threshold: 0,
    canaries: [{ n: planted.probes, statistic: planted.leaks }],
    compared:
      `${found.leaks} of ${found.probes} changed tokens j changed the output that predicts them ` +
      `(position j - ${distance}); ${where}`,
  });
}

async function changeTokens(
  forward: TokensToLogits,
  { batch, length, vocabulary, distance }: TargetLeakOptions,
  tokens: Int32Array,
  probes: readonly number[],
): Promise<Leak> {
  const before = Float32Array.from(await forward(tokens));
  const width = before.length / (batch * length);
  let leaks = 0;
  let reach = 0;
  let earliest: number | null = null;
  for (const j of probes) {
    const changed = tokens.slice();
    changed[j] = (changed[j] + 1) % vocabulary;
    const after = Float32Array.from(await forward(changed));
    const differs = (t: number) => {
      for (let i = t * width; i < (t + 1) * width; i++) {
        if (!Object.is(before[i], after[i])) return true;
      }
      return false;
    };
    if (differs(j - distance)) leaks++;
    for (let t = 0; t < j; t++) {
      if (!differs(t)) continue;
      reach = Math.max(reach, j - t);
      earliest = Math.min(earliest ?? t, t);
      break;
    }
  }
  return { probes: probes.length, leaks, reach, earliest };
}

/** The model, but each position also gets its own target. */
function tellTarget({ forward, batch, length, distance }: TargetLeakOptions): TokensToLogits {
  return async (tokens) => {
    const logits = Float32Array.from(await forward(tokens));
    const width = logits.length / (batch * length);
    for (let b = 0; b < batch; b++) {
      for (let t = 0; t + distance < length; t++) {
        logits[(b * length + t) * width] += 1 + tokens[b * length + t + distance];
      }
    }
    return logits;
  };
}
