import assert from "node:assert/strict";
import { Bert, type BertConfig, ConfigError, type LsgEncoderAttention } from "../../models/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

const CONFIG: BertConfig = { vocabSize: 11, positions: 8, width: 8, heads: 2, layers: 2 };
const LSG: LsgEncoderAttention = {
  kind: "lsg",
  ...{ globals: 3, blockSize: 4, sparseBlockSize: 4, sparsityFactor: 2 },
  sparsityType: "norm",
  poolWithGlobal: false,
};

gpuTest(
  "Bert with hidden global tokens gives the states of full attention on short texts",
  async () => {
    const [full, lsg] = [new Bert(gpu, CONFIG, 1), new Bert(gpu, { ...CONFIG, attention: LSG }, 2)];
    const other = new Map([...full.parameters].map((p) => [p.name, p]));
    for (const parameter of lsg.parameters) {
      const source = other.get(parameter.name);
      if (source) gpu.upload(parameter, await gpu.readFloats(source));
    }
    const ids = gpu.tensor(Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 0), [2, 7]);
    const keyMask = gpu.tensor(Int32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0), [2, 7]);
    const states = (model: Bert, hideGlobals: boolean) =>
      gpu.scope(() => gpu.readFloats(model.hidden(ids, { keyMask, hideGlobals })));
    const expected = await states(full, true);
    // The last row is padding.
    const real = (values: ArrayLike<number>) => Array.from(values).slice(0, -8);
    assertClose("hidden", real(await states(lsg, true)), real(expected));
    const seen = real(await states(lsg, false));
    assert.ok(seen.some((value, i) => Math.abs(value - expected[i]) > 1e-4));
    assert.throws(() => gpu.scope(() => lsg.hidden(ids, { hideGlobals: true })), ConfigError);
    for (const item of [full, lsg, ids, keyMask]) item.dispose();
  },
);
