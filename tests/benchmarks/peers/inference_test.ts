import assert from "node:assert/strict";
import type { InferenceCase } from "../../../benchmarks/peers/cases.ts";
import { auditLogits } from "../../../benchmarks/peers/check_outputs.ts";
import { inferenceTables } from "../../../benchmarks/peers/inference_table.ts";
import { makeInputs } from "../../../benchmarks/peers/inputs.ts";
import { openLibrary } from "../../../benchmarks/peers/libraries.ts";
import { importPeer, PEER_PACKAGES } from "../../../benchmarks/peers/packages.ts";
import type { PeerRow } from "../../../benchmarks/peers/summarize_rows.ts";
import { gpu, noAdapter } from "../../_helpers/gpu.ts";

const sizes = { length: 9, width: 24, heads: 3, layers: 2, vocabulary: 50 };
const specOf = (phase: InferenceCase["phase"]): InferenceCase => ({
  operation: "gpt2-inference",
  phase,
  ...sizes,
});

for (const name of ["onnxruntime-wasm", "onnxruntime-webgpu"] as const) {
  const loads = await importPeer(PEER_PACKAGES[name][0]).then(() => true, () => false);
  Deno.test({
    name: `${name} gives the logits of our engine in both phases`,
    ignore: noAdapter || !loads,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const ours = await openLibrary("ours", gpu);
      const theirs = await openLibrary(name, gpu);
      const logits: Float32Array[] = [];
      for (const phase of ["first-token", "decode"] as const) {
        const spec = specOf(phase);
        const inputs = makeInputs(spec, 3);
        const options = { seed: 3, lossSteps: 0 };
        const [a, b] = [
          (await ours.adapter.prepare(spec, inputs, options))!,
          (await theirs.adapter.prepare(spec, inputs, options))!,
        ];
        // Twice: the second run must not see the cache of the first.
        for (const prepared of [a, b]) {
          prepared.run();
          await prepared.finish();
        }
        const [own, other] = [(await a.outputs()).logits, (await b.outputs()).logits];
        const audit = auditLogits(name, other, "ours", own, sizes.vocabulary);
        assert.equal(audit.status, "ok", audit.detail);
        logits.push(own);
        a.dispose();
        b.dispose();
      }
      // Token by token or at once, the model is the same.
      assert.equal(
        auditLogits("ours", logits[1], "ours", logits[0], sizes.vocabulary).status,
        "ok",
      );
      assert.deepEqual(theirs.deviceErrors, []);
    },
  });
}

Deno.test("auditLogits() is red for a difference over the bound, a missing value and a wrong length", () => {
  const expected = Float32Array.from({ length: 30 }, (_, i) => Math.sin(i * i));
  const status = (change: (values: Float32Array) => Float32Array | undefined) =>
    auditLogits("x", change(expected.slice()), "ours", expected, 10).status;
  assert.equal(status((values) => values), "ok");
  assert.equal(status((values) => values.with(29, values[29] + 2e-3)), "red");
  assert.equal(status((values) => values.with(3, NaN)), "red");
  assert.equal(status((values) => values.subarray(1)), "red");
  assert.equal(status(() => undefined), "red");
  assert.notEqual(
    auditLogits("x", new Float32Array(30), "ours", new Float32Array(30), 10).status,
    "ok",
  );
});

Deno.test("inferenceTables() turns the time of all tokens into tokens per second", () => {
  const cell = (phase: string, ms: number) => ({
    task: `gpt2-inference/T8/${phase}`,
    variant: "ours",
    status: "ok",
    params: { length: 8 },
    timings: [{ clock: "wall", samplesNs: [2 * ms * 1e6], wallNs: [], number: 2 }],
  });
  const row = (phase: string, ms: number) =>
    ({ operation: "gpt2-inference", ours: cell(phase, ms), peers: [] }) as unknown as PeerRow;
  const [table] = inferenceTables([row("first-token", 5), row("decode", 40)]);
  assert.deepEqual(table.rows, [["gpt2-inference/T8", "ours", 5, 200]]);
  assert.deepEqual(inferenceTables([]), []);
});
