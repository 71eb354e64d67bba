import assert from "node:assert/strict";
import { buildModel, prepareEncoder } from "../../../benchmarks/lsg/encoder.ts";
import type { PreparedUnit } from "../../../benchmarks/lsg/prepare.ts";
import { presets } from "../../../benchmarks/lsg/presets.ts";
import type { TaskContext } from "../../../harness/contract.ts";
import { writeSafetensors } from "../../../train/mod.ts";
import { MemoryStore } from "../../data/memory_store.ts";
import { convertedTensors, readLsgGolden, sourceTensors } from "../../models/golden_lsg.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

gpuTest("buildModel() converts a published RoBERTa to the tables of lsg-converter", async () => {
  const file = readLsgGolden("roberta");
  const weights = new Map(
    [...sourceTensors(file)].map(([key, { shape, data }]) =>
      [key, { shape, data: Float32Array.from(data as ArrayLike<number>) }] as const
    ),
  );
  const bodies: Record<string, Uint8Array<ArrayBuffer>> = {
    "config.json": new TextEncoder().encode(JSON.stringify(file.config)),
    "model.safetensors": writeSafetensors(weights),
  };
  const store = new MemoryStore();
  store.fetch = (input) => {
    const path = String(input).split("/").at(-1)!;
    const headers = { "content-length": String(bodies[path].length) };
    return Promise.resolve(new Response(bodies[path], { headers }));
  };
  const kept = new Map<string, Uint8Array>();
  const context = {
    ...{ gpu, host: store, log: () => {}, seed: () => 7, signal: new AbortController().signal },
    data: () => {},
    artifacts: {
      read: (name: string) => Promise.resolve(kept.get(name)),
      write: (name: string, bytes: Uint8Array) => Promise.resolve(void kept.set(name, bytes)),
    },
  } as unknown as TaskContext;
  const unit = { task: presets.paper.quality!.tasks[0], seed: 0 };
  const prepared = {
    classes: ["a", "b", "c"],
    tokenizer: { cls: 0, mask: 4 },
  } as unknown as PreparedUnit;
  assert.deepEqual(await prepareEncoder(context, presets.paper, unit, prepared), []);
  const model = await buildModel(context, presets.paper, unit, prepared, {
    from: "pretrained",
    length: 1024,
    attention: {
      ...{ kind: "lsg", globals: 2, blockSize: 4, sparseBlockSize: 4 },
      ...{ sparsityFactor: 2, sparsityType: "norm" },
    },
  });
  assert.equal(model.maxLength, 1024);
  const want = convertedTensors(file);
  const compare = async (name: string, key: string, rows: number) => {
    const parameter = [...model.parameters].find((p) => p.name === name)!;
    const got = await gpu.readFloats(parameter);
    const { data, shape } = want.get(key)!;
    assert.deepEqual([...parameter.shape], [...shape]);
    const values = rows * shape[1];
    assert.deepEqual(
      [...got.subarray(0, values)],
      Array.from((data as Float32Array).subarray(0, values), Math.fround),
    );
  };
  // The golden file records some rows of the globals, the first ones among them.
  await compare("embeddings.globals", "roberta.embeddings.global_embeddings.weight", 2);
  await compare("embeddings.positions", "roberta.embeddings.position_embeddings.weight", 1026);
  assert.equal(model.classifier!.output.weight.dim(1), 3);
  model.dispose();
  kept.clear();
  await assert.rejects(
    () =>
      buildModel(context, presets.paper, unit, prepared, {
        ...{ from: "base", attention: "fused", length: 16 },
      }),
    /base weights are missing/,
  );
});
