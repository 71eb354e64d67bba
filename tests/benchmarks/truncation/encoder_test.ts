import assert from "node:assert/strict";
import { maskedBatch } from "../../../benchmarks/encoder_training/masked_pretraining.ts";
import {
  encodeDocument,
  openBertTokenizer,
  trainEncoderTokenizer,
} from "../../../benchmarks/encoder_training/encoder_tokenizer.ts";

const TEXT = "The quick brown fox jumps over the lazy dog again and again and again.";
const tokenizer = trainEncoderTokenizer([TEXT], 300);

Deno.test("trainEncoderTokenizer() adds special tokens that no text can spell", () => {
  const ids = encodeDocument(tokenizer, `${TEXT} [CLS] [SEP]`);
  const special = [...ids].filter((id) => tokenizer.specials.includes(id));
  assert.deepEqual(special, [tokenizer.cls, tokenizer.sep]);
  assert.equal(tokenizer.decode(ids), `[CLS]${TEXT.toLowerCase()} [cls] [sep][SEP]`);
  const { cls, sep, pad, mask, vocabSize } = tokenizer;
  assert.equal(new Set([cls, sep, pad, mask]).size, 4);
  assert.ok(Math.max(cls, sep, pad, mask) < vocabSize);
});

Deno.test("maskedBatch() asks for 15 % of the tokens and keeps the originals as targets", () => {
  const document = tokenizer.encode(TEXT.repeat(20));
  const sizes = { batchSize: 8, blockLength: 64, places: 74 };
  const batch = maskedBatch([document], tokenizer, sizes, 5, 3);
  assert.deepEqual(batch, maskedBatch([document], tokenizer, sizes, 5, 3));
  assert.notDeepEqual(batch.ids, maskedBatch([document], tokenizer, sizes, 5, 4).ids);
  assert.equal(new Set(batch.places).size, 74, "a place was drawn twice");
  let masked = 0;
  batch.places.forEach((place, n) => {
    assert.ok(document.includes(batch.targets[n]), "target is no token of the document");
    assert.equal(batch.mask[place], 1);
    if (batch.ids[place] === tokenizer.mask) masked++;
  });
  assert.ok(masked > 0.65 * 74 && masked < 0.95 * 74, `${masked} of 74 are masked`);
  const others = [...batch.ids].filter((id) => id === tokenizer.mask).length;
  assert.equal(others, masked, "a mask stands where nothing is asked for");
});

Deno.test("maskedBatch() ignores places it cannot fill", () => {
  const sizes = { batchSize: 1, blockLength: 8, places: 5 };
  const { targets, mask } = maskedBatch([Int32Array.of(4, 5)], tokenizer, sizes, 1, 0);
  assert.equal(targets.filter((target) => target >= 0).length, 2);
  assert.deepEqual([...mask], [1, 1, 1, 1, 0, 0, 0, 0]);
});

Deno.test("openBertTokenizer() reads WordPiece and its special tokens from tokenizer.json", () => {
  const vocab: Record<string, number> = {};
  ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "trun", "##cat", "##ion", "now"].forEach(
    (token, id) => vocab[token] = id,
  );
  const added = Object.keys(vocab).slice(0, 5).map((content) => ({
    id: vocab[content],
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  }));
  const json = {
    added_tokens: added,
    normalizer: { type: "BertNormalizer", lowercase: true, clean_text: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
  const bert = openBertTokenizer(json);
  assert.deepEqual([...encodeDocument(bert, "Truncation NOW zebra")], [2, 5, 6, 7, 8, 1, 3]);
  assert.deepEqual([bert.pad, bert.mask, bert.vocabSize], [0, 4, 9]);
  assert.throws(
    () => openBertTokenizer({ ...json, added_tokens: added.slice(0, 4) }),
    /no \[MASK\]/,
  );
});
