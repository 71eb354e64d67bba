import assert from "node:assert/strict";
import type { Unit } from "../../../benchmarks/truncation/config.ts";
import { buildClassifier } from "../../../benchmarks/truncation/encoder.ts";
import type { PreparedUnit } from "../../../benchmarks/truncation/prepare.ts";
import { presets } from "../../../benchmarks/truncation/presets.ts";
import type { DataInput, TaskContext } from "../../../harness/contract.ts";
import { writeSafetensors } from "../../../train/mod.ts";
import { MemoryStore } from "../../data/memory_store.ts";
import { assertClose } from "../../_helpers/assert_close.ts";
import { golden, type GoldenTensor } from "../../_helpers/golden.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

interface Case {
  config: Record<string, unknown>;
  ids: GoldenTensor;
  mask: GoldenTensor;
  types: GoldenTensor;
  weights: Record<string, GoldenTensor>;
  attentions: GoldenTensor[];
}

gpuTest(
  "buildClassifier() loads a published encoder from a hub folder and gives it a fresh classifier",
  async () => {
    const file = golden<{ bert: Case }>("bert").bert;
    const weights = Object.entries(file.weights).map(([key, { shape, data }]) =>
      [key, { shape, data: Float32Array.from(data) }] as const
    );
    const bodies: Record<string, Uint8Array<ArrayBuffer>> = {
      "config.json": new TextEncoder().encode(JSON.stringify(file.config)),
      "model.safetensors": writeSafetensors(new Map(weights)),
    };
    const store = new MemoryStore();
    store.fetch = (input) => {
      const path = String(input).split("/").at(-1)!;
      const headers = { "content-length": String(bodies[path].length) };
      return Promise.resolve(new Response(bodies[path], { headers }));
    };
    const records: DataInput[] = [];
    const context = {
      ...{ gpu, host: store, log: () => {}, seed: () => 7, signal: new AbortController().signal },
      data: (record: DataInput) => records.push(record),
    } as unknown as TaskContext;
    const unit: Unit = { task: presets.paper.tasks[0], fold: 0, seed: 0 };
    const prepared = { classes: ["a", "b", "c", "d", "e"] } as unknown as PreparedUnit;
    const model = await buildClassifier(context, presets.paper, unit, prepared);
    // The file's classifier has three classes, the task five.
    assert.deepEqual([...model.classifier!.output.weight.shape], [16, 5]);
    assert.deepEqual(
      records.map(({ note }) => note),
      Array(2).fill("unpinned: trusted on first use"),
    );
    const ints = ({ data, shape }: GoldenTensor) => gpu.tensor(Int32Array.from(data), shape);
    const maps: Promise<ArrayLike<number>>[] = [];
    model.forEachAttentionMap(ints(file.ids), (_, map) => maps.push(gpu.readLater(map).value), {
      keyMask: ints(file.mask),
      tokenTypes: ints(file.types),
    });
    gpu.submit();
    for (const [i, map] of maps.entries()) {
      assertClose(`map ${i}`, await map, file.attentions[i].data, { relative: 1e-5 });
    }
    model.dispose();
  },
);
