import assert from "node:assert/strict";
import { benchmark } from "../../../benchmarks/peers/bench.ts";
import { caseId } from "../../../benchmarks/peers/cases.ts";
import { casesOf, peersConfigSchema } from "../../../benchmarks/peers/config.ts";
import { PEERS_PRESETS } from "../../../benchmarks/peers/presets.ts";

for (const [name, preset] of Object.entries(PEERS_PRESETS)) {
  Deno.test(`peers preset ${name} is valid and its cases have unique names`, () => {
    assert.deepEqual(peersConfigSchema.parse(preset), preset);
    const ids = casesOf(preset).map(caseId);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(benchmark.tasks(preset).map((task) => task.id), ids);
    for (const task of benchmark.tasks(preset)) {
      assert.deepEqual(task.variants, ["ours", ...preset.libraries]);
      assert.ok(task.weight > 0);
    }
    assert.ok(benchmark.memoryEstimate!(preset) > 0);
  });
}

Deno.test("peersConfigSchema refuses what no library could run", () => {
  const { smoke } = PEERS_PRESETS;
  const refused = (change: object) =>
    assert.throws(() => peersConfigSchema.parse({ ...smoke, ...change }));
  refused({ libraries: ["pytorch"] });
  refused({ matmul: [{ m: 0, k: 1, n: 1 }] });
  refused({ gpt2Step: [{ ...smoke.gpt2Step[0], width: 33 }] });
  refused({ attention: [{ ...smoke.attention[0], phase: "backward" }] });
  refused({ samples: 0 });
  refused({ unknown: 1 });
});

Deno.test("peers small covers every shape of the question", () => {
  const ids = casesOf(PEERS_PRESETS.small).map(caseId);
  for (
    const wanted of [
      "matmul/1024x128x512",
      "matmul/1024x512x128",
      "matmul/1024x128x2048",
      "matmul/512x512x512",
      "matmul/1024x1024x1024",
      "attention/causal/4x32/T4096/forward+backward",
      "attention/full/4x32/T1024/forward",
      "prefix-sum/T2048x128",
      "prefix-sum/T8192x128",
      "cross-entropy/1024x128/V2048/forward+backward",
      "cross-entropy/1024x128/V8192/forward",
      "cross-entropy/2048x128/V32100/forward+backward",
      "gpt2-inference/T256/V2048/4x128/h4/first-token",
      "gpt2-inference/T256/V2048/4x128/h4/decode",
      "gpt2-step/T256xB4/V2048/4x128/h4",
      "gpt2-step/T1024xB1/V2048/4x128/h4",
    ]
  ) assert.ok(ids.includes(wanted), `${wanted} is missing`);
});
