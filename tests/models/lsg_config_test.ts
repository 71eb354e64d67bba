import assert from "node:assert/strict";
import {
  bartConfigFromJson,
  bertConfigFromJson,
  isLsgConfig,
  type LsgEncoderAttention,
  PublishedConfig,
} from "../../models/mod.ts";
import { readLsgGolden } from "./golden_lsg.ts";

const lsg = (json: Record<string, unknown>) => isLsgConfig(new PublishedConfig(json));

Deno.test("isLsgConfig() goes by base_model_prefix and the first architecture", () => {
  assert.equal(lsg({ base_model_prefix: "lsg" }), true);
  assert.equal(lsg({ architectures: ["LSGBertModel"] }), true);
  assert.equal(lsg({ architectures: "LSGBertModel" }), true);
  assert.equal(lsg({ architectures: ["BertModel", "LSGBertModel"] }), false);
  assert.equal(lsg({ base_model_prefix: "bert", architectures: [] }), false);
});

Deno.test("bertConfigFromJson() and bartConfigFromJson() read every field of LSG", () => {
  const fields = {
    ...{ adaptive: false, block_size: 6, lsh_num_pre_rounds: 2, lsh_seed: 9 },
    ...{ mask_first_token: true, num_global_tokens: 600, sparse_block_size: 12 },
    ...{ sparsity_factor: 3, sparsity_type: "lsh", pass_global_tokens_to_decoder: false },
  };
  const expected: LsgEncoderAttention = {
    kind: "lsg",
    ...{ globals: 512, blockSize: 6, sparseBlockSize: 12, sparsityFactor: 3 },
    ...{ sparsityType: "lsh", causal: false, maskFirstToken: true, adaptive: false },
    ...{ lshPreRounds: 2, lshSeed: 9, poolWithGlobal: true },
  };
  const bert = readLsgGolden("bert").converted_config;
  assert.deepEqual(bertConfigFromJson({ ...bert, ...fields }).attention, expected);
  const bart = bartConfigFromJson({ ...readLsgGolden("bart").converted_config, ...fields });
  assert.deepEqual([bart.attention, bart.passGlobals], [expected, false]);
  assert.equal((bertConfigFromJson(bert).attention as LsgEncoderAttention).lshSeed, 0);
});
