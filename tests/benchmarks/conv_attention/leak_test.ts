import assert from "node:assert/strict";
import { compareConvAttention } from "../../../benchmarks/conv_attention/compare.ts";
import { figure, headline } from "../../../benchmarks/conv_attention/headline.ts";
import { presets } from "../../../benchmarks/conv_attention/presets.ts";
import { auditTargetLeak } from "../../../benchmarks/conv_attention/target_leak.ts";
import type { Cell, RunBody } from "../../../harness/contract.ts";
import { cellSchema } from "../../../harness/result_schema.ts";

/** A model whose output at t is a function of the tokens `sees` names. */
function modelThatSees(sees: (t: number) => number[]) {
  return (tokens: Int32Array) =>
    Promise.resolve(Float32Array.from(tokens, (_, i) => {
      const [row, t] = [Math.floor(i / 24) * 24, i % 24];
      return sees(t).filter((j) => j < 24).reduce((sum, j) => sum + (j + 1) * tokens[row + j], 0);
    }));
}

const AUDIT = { subject: "toy", batch: 2, length: 24, vocabulary: 11, distance: 4 };

Deno.test("auditTargetLeak() is red for a model that sees its target and says how early it looks", async () => {
  const red = await auditTargetLeak({
    ...AUDIT,
    forward: modelThatSees((t) => [t, t + 4]),
  });
  assert.equal(red.status, "red");
  assert.equal(red.statistic, 20);
  assert.deepEqual(red.canaries, [1, 1]);
  assert.match(red.detail, /20 of 20 .*position 0, up to 4 before/);
});

Deno.test("auditTargetLeak() is green for a causal model and for one that sees other tokens ahead", async () => {
  const causal = await auditTargetLeak({ ...AUDIT, forward: modelThatSees((t) => [t, 0]) });
  assert.equal(causal.status, "ok");
  assert.match(causal.detail, /no output before a changed token changed/);
  const ahead = await auditTargetLeak({ ...AUDIT, forward: modelThatSees((t) => [t, t + 2]) });
  assert.equal(ahead.status, "ok");
  assert.match(ahead.detail, /up to 2 before the token/);
});

/** A training row with losses on all, seen and unseen targets. */
function row(variant: string, seed: number, losses: [number, number, number]): Cell {
  return cellSchema.parse({
    task: `train/${variant}/${seed}`,
    variant,
    params: { seed },
    metrics: ["test", "test-seen", "test-unseen"].map((split, i) => ({
      metric: "loss",
      unit: "nats/token",
      value: losses[i],
      split,
      seed,
    })),
  });
}

function runOf(cells: Cell[]): RunBody {
  const comparisons = compareConvAttention(cells, presets.smoke);
  return { cells, comparisons, audits: [] } as unknown as RunBody;
}

Deno.test("the leak share is what the advantage on unseen targets does not explain", () => {
  const run = runOf([0, 1, 2].flatMap((seed) => [
    row("gpt2_horizon", seed, [3, 3, 3]),
    row("conv_attention", seed, [1, 0.5, 2.5]),
    row("conv_attention_causal", seed, [3.25, 3.25, 3.25]),
  ]));
  assert.equal(figure(run.comparisons, "advantage-pooled"), 2);
  assert.equal(figure(run.comparisons, "advantage-unseen"), 0.5);
  assert.equal(figure(run.comparisons, "leak-share"), 0.75);
  assert.equal(figure(run.comparisons, "advantage-causal"), -0.25);
  const [sentence] = headline(run);
  assert.match(sentence, /advantage of 2\.000 nats\/token .* 75 % is target leakage/);
  assert.match(sentence, /causal form .* 0\.250 nats\/token worse/);
});

Deno.test("the headline claims no leak share where there is no advantage", () => {
  const run = runOf([
    row("gpt2_horizon", 0, [3, 3, 3]),
    row("conv_attention", 0, [3.5, 3.4, 3.6]),
  ]);
  assert.equal(figure(run.comparisons, "leak-share"), null);
  assert.match(headline(run)[0], /no advantage over the like-for-like GPT-2 .* to explain/);
  const none = { cells: [], comparisons: [], audits: [] } as unknown as RunBody;
  assert.deepEqual(headline(none), ["No rows that could be compared were recorded."]);
});

Deno.test("all of the advantage is leakage where the unseen targets show none", () => {
  const run = runOf([
    row("gpt2_horizon", 0, [2, 2, 2]),
    row("conv_attention", 0, [1, 0.5, 3]),
  ]);
  assert.equal(figure(run.comparisons, "leak-share"), 2);
  assert.match(headline(run)[0], /all is target leakage/);
});
