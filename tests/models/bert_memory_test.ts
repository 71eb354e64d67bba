import assert from "node:assert/strict";
import {
  Bert,
  bertActivationBytes,
  type EncoderAttention,
  type LsgEncoderAttention,
} from "../../models/mod.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

const LSG: LsgEncoderAttention = {
  kind: "lsg",
  globals: 8,
  blockSize: 32,
  sparseBlockSize: 32,
  sparsityFactor: 4,
  sparsityType: "norm",
};
const KINDS: Record<string, EncoderAttention> = {
  fused: "fused",
  naive: "naive",
  norm: LSG,
  pooling: { ...LSG, sparsityType: "pooling" },
  lsh: { ...LSG, sparsityType: "lsh" },
  // One centroid per chunk: as bos_pooling, which keeps no assignment.
  lshOfOne: { ...LSG, sparsityType: "lsh", sparsityFactor: 32 },
  none: { ...LSG, sparsityType: "none" },
  longformer: { kind: "longformer", window: 32 },
  bigbird: { kind: "bigbird", blockSize: 32, randomBlocks: 1 },
};

for (const [kind, attention] of Object.entries(KINDS)) {
  gpuTest(`bertActivationBytes() (${kind}) is what a training pass holds at its loss`, () => {
    const [B, T] = [2, 256];
    const sizes = { vocabSize: 40, positions: T, width: 64, heads: 4, layers: 3, attention };
    for (const p of [0, 0.1]) {
      // Larger buffers of an earlier pass would be taken again, and counted whole.
      gpu.memory.trim();
      const model = new Bert(gpu, { ...sizes, dropout: p }, 1);
      const live = () => gpu.memory.byTag.get("activations")?.live ?? 0;
      const [ids, keyMask] = [5, 1].map((value) => gpu.full([B, T], value, "i32", "data"));
      const before = live();
      gpu.scope(() =>
        gpu.withTape(() => {
          model.hidden(ids, { keyMask, ...(p > 0 ? { dropoutSeed: 1 } : {}) });
          const held = live() - before;
          const told = bertActivationBytes(model.config, B, T);
          assert.ok(Math.abs(held / told - 1) < 0.04, `${held} bytes are held, ${told} told`);
        })
      );
      [ids, keyMask, model].forEach((thing) => thing.dispose());
    }
  });
}

gpuTest("bertActivationBytes() counts what each kind of sparse keys holds beside the text", () => {
  // Narrow heads, where it weighs most.
  const [B, T] = [2, 256];
  const bytes = (attention: EncoderAttention) => {
    gpu.memory.trim();
    const sizes = { vocabSize: 40, positions: T, width: 16, heads: 16, layers: 3, attention };
    const model = new Bert(gpu, sizes, 1);
    const live = () => gpu.memory.byTag.get("activations")?.live ?? 0;
    const ids = gpu.full([B, T], 5, "i32", "data");
    const before = live();
    const held = gpu.scope(() =>
      gpu.withTape(() => {
        model.hidden(ids);
        return live() - before;
      })
    );
    const told = bertActivationBytes(model.config, B, T, { masked: false });
    [ids, model].forEach((thing) => thing.dispose());
    return { held, told };
  };
  const none = bytes(KINDS.none);
  for (const kind of ["norm", "pooling", "lsh", "lshOfOne"]) {
    const { held, told } = bytes(KINDS[kind]);
    const ratio = (held - none.held) / (told - none.told);
    assert.ok(Math.abs(ratio - 1) < 0.01, `${kind}: ${held - none.held} bytes, ratio ${ratio}`);
  }
});

gpuTest("Bert without a tape holds no more for more layers", () => {
  const peak = (layers: number) => {
    const model = new Bert(gpu, {
      ...{ vocabSize: 40, positions: 64, width: 64, heads: 4, layers, attention: LSG },
    }, 1);
    const ids = gpu.full([2, 64], 5, "i32", "data");
    gpu.memory.trim();
    gpu.memory.resetPeak();
    gpu.scope(() => void model.hidden(ids));
    const { peak } = gpu.memory.byTag.get("activations")!;
    ids.dispose();
    model.dispose();
    return peak;
  };
  const outputs = 4 * 2 * 72 * 64;
  assert.ok(peak(8) - peak(2) <= 6 * outputs, "only the outputs of the layers may add up");
});
