import assert from "node:assert/strict";
import { attentionScores, Bert, Gpt2 } from "../../models/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

const SIZES = {
  vocabSize: 30,
  positions: 40,
  width: 16,
  heads: 2,
  layers: 3,
  initializerRange: 0.3,
};
const DOCUMENTS = [[3, 4, 5], Array.from({ length: 29 }, (_, i) => i), [], [7]];

gpuTest(
  "attentionScores() gives each document what it gets alone, whatever it is batched with",
  async () => {
    for (const model of [new Bert(gpu, SIZES, 1), new Gpt2(gpu, SIZES, 1)]) {
      for (const options of [{}, { scoring: "received", layers: { last: 2 } }] as const) {
        const together = await attentionScores(model, DOCUMENTS, { ...options, batchSize: 3 });
        assert.deepEqual(
          together.map(({ length }) => length),
          DOCUMENTS.map(({ length }) => length),
        );
        for (const [i, ids] of DOCUMENTS.entries()) {
          const [alone] = await attentionScores(model, [ids], options);
          assertClose(`document ${i}`, together[i], alone, { relative: 1e-5 });
          if (ids.length === 0) continue;
          // Shares received add up to 1; paid and received to (2 n - trace) / n, between 1 and 2.
          const total = together[i].reduce((sum, s) => sum + s, 0);
          if ("scoring" in options) assert.ok(Math.abs(total - 1) < 1e-4, `adds up to ${total}`);
          else assert.ok(total >= 1 - 1e-4 && total < 2, `adds up to ${total}`);
        }
      }
      await assert.rejects(() => attentionScores(model, [[1]], { layers: { first: 4 } }), /1 to 3/);
      model.dispose();
    }
  },
);

gpuTest(
  "attentionScores() of GPT-2 lets no token receive attention from earlier ones",
  async () => {
    const model = new Gpt2(gpu, SIZES, 1);
    const score = async (ids: number[]) =>
      (await attentionScores(model, [ids], { scoring: "received" }))[0];
    // The last token is read by itself alone: its share is at most 1 / n.
    const scores = await score([1, 2, 3, 4, 5, 6]);
    assert.ok(scores[5] <= 1 / 6 + 1e-6);
    // A longer text changes what the earlier tokens receive, but not what the first pays to itself.
    assertClose("single token", await score([9]), [1]);
    model.dispose();
  },
);
