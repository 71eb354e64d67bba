import assert from "node:assert/strict";
import { checkLsgPattern, type SparsityType } from "../../../attention/mod.ts";
import { ConversionError, LSG_SPARSITY_TYPES, lsgFields } from "../../../train/convert/mod.ts";

const MODEL = { heads: 12, encoderDecoder: false };

function fields(given: Record<string, unknown>, model = MODEL) {
  const notes: string[] = [];
  return { value: lsgFields(given, model, (text) => notes.push(text)), notes };
}

Deno.test("lsgFields() has the defaults of the reference", () => {
  const { value, notes } = fields({ other: 1 });
  assert.deepEqual(value, {
    adaptive: true,
    base_model_prefix: "lsg",
    block_size: 128,
    lsh_num_pre_rounds: 1,
    mask_first_token: false,
    num_global_tokens: 1,
    pool_with_global: true,
    sparse_block_size: 128,
    sparsity_factor: 2,
    sparsity_type: "norm",
  });
  assert.deepEqual(notes, []);
  const { value: seq2seq } = fields({}, { heads: 12, encoderDecoder: true });
  assert.equal(seq2seq.pass_global_tokens_to_decoder, true);
});

for (
  const [given, message] of [
    [{ block_size: 0 }, /block_size is 0, expected an integer from 1/],
    [{ block_size: 1.5 }, /block_size is 1.5/],
    [{ block_size: "128" }, /block_size is "128"/],
    [{ adaptive: 1 }, /adaptive is 1, expected true or false/],
    [{ base_model_prefix: "bert" }, /base_model_prefix is "bert", expected "lsg"/],
    [{ num_global_tokens: 0 }, /num_global_tokens is 0, expected an integer from 1 to 512/],
    [{ num_global_tokens: 513 }, /num_global_tokens is 513/],
    [{ lsh_num_pre_rounds: -1 }, /lsh_num_pre_rounds is -1/],
    [{ sparsity_factor: 3 }, /sparsity_factor is 3, expected a divisor of block_size 128/],
    [{ sparsity_factor: 256 }, /a divisor of block_size 128/],
    // The reference checks this even where nothing is sparse.
    [{ sparsity_factor: 3, sparsity_type: "none" }, /a divisor of block_size/],
    [{ sparse_block_size: 48 }, /sparse_block_size is 48, expected more than 3\/4 of .* = 64/],
    [
      { sparse_block_size: 96, sparsity_factor: 4 },
      /sparse_block_size is 96, expected a divisor of block_size 128 with norm/,
    ],
    [
      { block_size: 64, sparse_block_size: 2, sparsity_factor: 32, sparsity_type: "lsh" },
      /sparse_block_size is 2, expected a multiple of sparsity_factor 32 with lsh/,
    ],
    [
      { block_size: 8, sparse_block_size: 16, sparsity_factor: 8, sparsity_type: "lsh" },
      /sparsity_factor is 8, expected at most half of/,
    ],
    [{ sparsity_type: "norms" }, /sparsity_type is "norms"/],
  ] as const
) {
  Deno.test(`lsgFields() refuses ${JSON.stringify(given)}`, () => {
    assert.throws(() => fields(given), (error: Error) => {
      assert.ok(error instanceof ConversionError);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("lsgFields() names the types of selection for a wrong one", () => {
  assert.throws(() => fields({ sparsity_type: "norms" }), (error: ConversionError) => {
    assert.deepEqual(error.choice, { given: "norms", known: LSG_SPARSITY_TYPES });
    return true;
  });
  assert.equal(fields({ sparsity_type: null }).value.sparsity_type, "none");
});

Deno.test("lsgFields() says what works but may surprise", () => {
  const masked = fields({ mask_first_token: true, pool_with_global: false });
  assert.equal(masked.value.pool_with_global, true);
  assert.match(masked.notes.join(), /pool_with_global was set to true/);
  const stride = { sparsity_type: "stride", sparsity_factor: 16 };
  assert.match(fields(stride).notes.join(), /With stride and 12 heads/);
  assert.deepEqual(fields(stride, { heads: 16, encoderDecoder: false }).notes, []);
  assert.match(fields({ sparsity_factor: 128 }).notes.join(), /count some neighbours twice/);
  const odd = fields({ block_size: 6, sparse_block_size: 6, sparsity_type: "pooling" });
  assert.match(odd.notes.join(), /= 3 is odd: .* fail on inputs over two blocks/);
});

Deno.test("lsgFields() accepts nothing that attention refuses", () => {
  let accepted = 0;
  for (const B of [2, 4, 6, 8, 12]) {
    for (const S of [0, 1, 2, 3, 4, 6, 8, 16]) {
      for (const f of [0, 1, 2, 3, 4, 8]) {
        for (const type of LSG_SPARSITY_TYPES) {
          const given = {
            block_size: B,
            sparse_block_size: S,
            sparsity_factor: f,
            sparsity_type: type,
          };
          try {
            fields(given);
          } catch {
            continue;
          }
          accepted++;
          checkLsgPattern({
            globals: 1,
            blockSize: B,
            sparseBlockSize: S,
            sparsityFactor: f,
            sparsityType: type as SparsityType,
          });
        }
      }
    }
  }
  assert.ok(accepted > 400, `${accepted}`);
});
