import assert from "node:assert/strict";
import type { PeerCase } from "../../../benchmarks/peers/cases.ts";
import {
  auditLosses,
  auditOutputs,
  relativeDifference,
} from "../../../benchmarks/peers/check_outputs.ts";
import { makeInputs } from "../../../benchmarks/peers/inputs.ts";
import { sampleReference } from "../../../benchmarks/peers/reference.ts";
import { openOurs } from "../../../benchmarks/peers/ours.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

const samples = { y: { indices: [0, 2], values: [1, -2] } };

Deno.test("auditOutputs() holds outputs against samples and ours", () => {
  const y = Float32Array.of(1, 5, -2);
  assert.equal(auditOutputs("tfjs", { y }, { samples, ours: { y } }).status, "ok");
  assert.equal(
    auditOutputs("tfjs", { y }, { samples, ours: { y: Float32Array.of(1, 6, -2) } }).status,
    "red",
  );
});

Deno.test("auditOutputs() is red for zeros, NaN and outputs that are missing or short", () => {
  for (
    const y of [new Float32Array(3), Float32Array.of(1, 5, NaN), Float32Array.of(1, 5), undefined]
  ) {
    const outputs = y ? { y } : {};
    const ours = { y: Float32Array.of(1, 5, -2) };
    const audit = auditOutputs("tfjs", outputs as Record<string, Float32Array>, { samples, ours });
    assert.equal(audit.status, "red", `${y}`);
  }
});

Deno.test("auditOutputs() has no say without anything to compare with", () => {
  assert.equal(auditOutputs("tfjs", { y: new Float32Array(3) }, { samples: {} }).status, "invalid");
});

Deno.test("auditLosses() passes within 1e-3 and has no power over a flat curve", () => {
  const curve = Float32Array.of(5, 4.5, 4);
  const near = curve.map((loss) => loss + 5e-4);
  const far = curve.map((loss) => loss + 2e-3);
  assert.equal(auditLosses("tfjs", near, "ours", curve).status, "ok");
  assert.equal(auditLosses("tfjs", far, "ours", curve).status, "red");
  const flat = Float32Array.of(5, 5, 5);
  assert.equal(auditLosses("tfjs", flat, "ours", flat).status, "invalid");
});

Deno.test("relativeDifference() is that of root mean squares", () => {
  assert.equal(relativeDifference((i) => [3, 4][i], [3, 4]), 0);
  assert.equal(relativeDifference(() => 0, [3, 4]), 1);
});

const CASES: readonly PeerCase[] = [
  { operation: "matmul", batch: 2, m: 9, k: 7, n: 11 },
  {
    operation: "attention",
    phase: "forward+backward",
    causal: true,
    heads: 2,
    headDim: 8,
    length: 21,
  },
  {
    operation: "attention",
    phase: "forward+backward",
    causal: false,
    heads: 2,
    headDim: 8,
    length: 21,
  },
  { operation: "prefix-sum", length: 37, width: 5 },
  { operation: "layer-norm", rows: 7, width: 20 },
  { operation: "softmax", rows: 7, width: 20 },
  { operation: "cross-entropy", phase: "forward", rows: 13, width: 8, vocabulary: 31 },
  { operation: "cross-entropy", phase: "forward+backward", rows: 13, width: 8, vocabulary: 31 },
];

gpuTest("sampleReference() agrees with the engine in every case", async () => {
  const ours = openOurs(gpu);
  for (const spec of CASES) {
    const inputs = makeInputs(spec, 5);
    const prepared = await ours.prepare(spec, inputs, { seed: 5, lossSteps: 1 });
    const audit = auditOutputs("ours", await prepared!.outputs(), {
      samples: sampleReference(spec, inputs),
    });
    prepared!.dispose();
    assert.equal(audit.status, "ok", `${JSON.stringify(spec)}: ${audit.detail}`);
    assert.ok(audit.statistic! < 1e-5, audit.detail);
  }
});
