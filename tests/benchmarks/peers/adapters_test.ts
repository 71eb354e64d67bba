import assert from "node:assert/strict";
import type { LibraryAdapter } from "../../../benchmarks/peers/adapter.ts";
import { caseId, type PeerCase } from "../../../benchmarks/peers/cases.ts";
import { auditOutputs } from "../../../benchmarks/peers/check_outputs.ts";
import { GpuLedger } from "../../../benchmarks/peers/gpu_ledger.ts";
import { makeInputs } from "../../../benchmarks/peers/inputs.ts";
import { openLibrary } from "../../../benchmarks/peers/libraries.ts";
import { importPeer, PEER_NAMES, PEER_PACKAGES } from "../../../benchmarks/peers/packages.ts";
import { sampleReference } from "../../../benchmarks/peers/reference.ts";
import { takeLedger } from "../../../benchmarks/peers/take_ledger.ts";
import { gpu, noAdapter } from "../../_helpers/gpu.ts";

const MATMUL: PeerCase = { operation: "matmul", batch: 1, m: 16, k: 12, n: 20 };
const ATTENTION: PeerCase = {
  operation: "attention",
  phase: "forward",
  causal: true,
  heads: 2,
  headDim: 8,
  length: 16,
};

async function loads(name: typeof PEER_NAMES[number]): Promise<boolean> {
  try {
    for (const peer of PEER_PACKAGES[name]) await importPeer(peer);
    return true;
  } catch {
    return false;
  }
}

async function checkCase(adapter: LibraryAdapter, spec: PeerCase): Promise<void> {
  const inputs = makeInputs(spec, 3);
  const prepared = await adapter.prepare(spec, inputs, { seed: 3, lossSteps: 1 });
  assert.ok(prepared, `${adapter.name} does not offer ${caseId(spec)}`);
  try {
    const audit = auditOutputs(adapter.name, await prepared.outputs(), {
      samples: sampleReference(spec, inputs),
    });
    assert.equal(audit.status, "ok", audit.detail);
    // Work must really be issued by `run`: a library that only records it would be timed for nothing.
    if (!adapter.device) return;
    const ledger = new GpuLedger();
    const before = ledger.counts(adapter.device).dispatches;
    prepared.run();
    prepared.run();
    await prepared.finish();
    const after = ledger.counts(adapter.device).dispatches;
    ledger.close();
    assert.ok(after >= before + 2, `two runs made ${after - before} dispatches`);
  } finally {
    prepared.dispose();
  }
}

for (const name of PEER_NAMES) {
  Deno.test({
    name: `${name} runs a matmul and attention to our results, issued when asked`,
    ignore: noAdapter || !await loads(name),
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const { adapter, deviceErrors } = await openLibrary(name, gpu);
      assert.equal(adapter.version, PEER_PACKAGES[name][0].version);
      await checkCase(adapter, MATMUL);
      await checkCase(adapter, ATTENTION);
      assert.deepEqual(deviceErrors, []);
    },
  });
}

Deno.test({
  name: "takeLedger() counts one library alone in a worker",
  ignore: noAdapter,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const ledger = await takeLedger({ library: "ours", spec: MATMUL, seed: 3 });
    assert.ok(ledger);
    assert.equal(ledger.dispatches, 1);
    assert.equal(ledger.submissions, 1);
    assert.ok(ledger.peakBytes >= 4 * (16 * 12 + 12 * 20 + 16 * 20));
  },
});

Deno.test({
  name: "takeLedger() hands over the error of a case that cannot run",
  ignore: noAdapter,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const spec: PeerCase = { operation: "layer-norm", rows: -1, width: 4 };
    await assert.rejects(takeLedger({ library: "ours", spec, seed: 3 }), Error);
  },
});
