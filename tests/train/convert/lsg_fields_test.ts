import assert from "node:assert/strict";
import { checkLsgPattern, SPARSITY_TYPES } from "../../../attention/mod.ts";
import { ConversionError, lsgFields } from "../../../train/convert/mod.ts";

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
    [{ lsh_seed: -1 }, /lsh_seed is -1, expected an integer from 0 to 4294967295/],
    [{ lsh_seed: "1" }, /lsh_seed is "1"/],
    [
      { sparse_block_size: 96, sparsity_factor: 4 },
      /sparse_block_size is 96, expected for norm a divisor of block_size 128 and .*; change it with --set sparse_block_size=/,
    ],
    [
      { block_size: 64, sparse_block_size: 2, sparsity_factor: 32, sparsity_type: "lsh" },
      /sparse_block_size is 2, expected for lsh .* a multiple of sparsity_factor 32/,
    ],
    [
      { block_size: 8, sparse_block_size: 16, sparsity_factor: 8, sparsity_type: "lsh" },
      /sparsity_factor is 8, expected for lsh at most half of/,
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
    assert.deepEqual(error.choice, { given: "norms", known: SPARSITY_TYPES });
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
  const few = fields({ sparse_block_size: 32, sparsity_type: "pooling" });
  assert.match(few.notes.join(), /= 32 is at most 3\/4 of .* = 64: lsg-converter's .* lose sparse/);
  assert.deepEqual(fields({ sparse_block_size: 64 }).notes, []);
  const odd = fields({ block_size: 6, sparse_block_size: 6, sparsity_type: "pooling" });
  assert.match(odd.notes.join(), /= 3 is odd: .* fail on inputs over two blocks/);
});

Deno.test("lsgFields() keeps a seed of lsh that is given, and writes none else", () => {
  assert.equal(fields({ lsh_seed: 7 }).value.lsh_seed, 7);
  assert.ok(!("lsh_seed" in fields({}).value));
});

Deno.test("lsgFields() accepts what attention accepts, and no factor that does not divide", () => {
  const succeeds = (work: () => unknown) => {
    try {
      work();
      return true;
    } catch {
      return false;
    }
  };
  for (const blockSize of [2, 4, 6, 8, 12]) {
    for (const sparseBlockSize of [0, 1, 2, 3, 4, 6, 8, 16]) {
      for (const sparsityFactor of [0, 1, 2, 3, 4, 8]) {
        for (const sparsityType of SPARSITY_TYPES) {
          const given = {
            block_size: blockSize,
            sparse_block_size: sparseBlockSize,
            sparsity_factor: sparsityFactor,
            sparsity_type: sparsityType,
          };
          const sizes = { blockSize, sparseBlockSize, sparsityFactor, sparsityType };
          const divides = sparsityFactor === 0 || blockSize % sparsityFactor === 0;
          assert.equal(
            succeeds(() => fields(given)),
            divides && succeeds(() => checkLsgPattern({ globals: 1, ...sizes })),
            JSON.stringify(given),
          );
        }
      }
    }
  }
});
