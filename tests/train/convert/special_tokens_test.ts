import assert from "node:assert/strict";
import { ConversionError, findSpecialTokens } from "../../../train/convert/mod.ts";

function find(type: string, files: Record<string, unknown>) {
  return findSpecialTokens(type, (name) => {
    const file = files[name];
    return Promise.resolve(
      file === undefined || typeof file === "string" ? file : JSON.stringify(file),
    );
  });
}

Deno.test("findSpecialTokens() follows the names of the tokenizer's own configuration", async () => {
  const config = {
    bos_token: { content: "<s>", lstrip: false },
    cls_token: "<cls>",
    mask_token: "<mask>",
    added_tokens_decoder: { "0": { content: "<s>" }, "9": { content: "<mask>" } },
  };
  assert.deepEqual(await find("roberta", { "tokenizer_config.json": config }), {
    first: 0,
    mask: 9,
  });
  // cls where there is no bos.
  const { bos_token: _, ...noBos } = config;
  const vocabulary = { "vocab.json": { "<cls>": 3, "<s>": 0 } };
  const found = await find("roberta", { "tokenizer_config.json": noBos, ...vocabulary });
  assert.deepEqual(found, { first: 3, mask: 9 });
  const { cls_token: __, ...neither } = noBos;
  const none = await find("pegasus", { "tokenizer_config.json": neither, ...vocabulary });
  assert.deepEqual(none, { first: undefined, mask: 9 });
});

Deno.test("findSpecialTokens() takes the tokens of the type's class, but not of the general class", async () => {
  const bert = { "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n" };
  assert.deepEqual(await find("bert", bert), { first: 2, mask: 4 });
  assert.deepEqual(await find("bert", { ...bert, "tokenizer_config.json": {} }), {
    first: 2,
    mask: 4,
  });
  assert.deepEqual(await find("roberta", bert), { first: undefined, mask: undefined });
  for (const tokenizer_class of ["PreTrainedTokenizerFast", "TokenizersBackend"]) {
    const general = await find("bert", { ...bert, "tokenizer_config.json": { tokenizer_class } });
    assert.deepEqual(general, { first: undefined, mask: undefined });
  }
  const own = { tokenizer_class: "BertTokenizer", mask_token: "[SEP]" };
  assert.deepEqual(await find("bert", { ...bert, "tokenizer_config.json": own }), {
    first: 2,
    mask: 3,
  });
  const windows = { "vocab.txt": "[CLS]\r\n[MASK]\r\n" };
  assert.deepEqual(await find("electra", windows), { first: 0, mask: 1 });
});

Deno.test("findSpecialTokens() reads every file that lists tokens", async () => {
  const map = {
    "special_tokens_map.json": { cls_token: "[CLS]", mask_token: { content: "[MASK]" } },
  };
  const expected = { first: 5, mask: 6 };
  for (
    const files of [
      { "added_tokens.json": { "[CLS]": 5, "[MASK]": 6 } },
      {
        "tokenizer.json": {
          added_tokens: [{ content: "[CLS]", id: 5 }, { content: "[MASK]", id: 6 }],
        },
      },
      { "tokenizer.json": { model: { vocab: { "[CLS]": 5, "[MASK]": 6 } } } },
      {
        "tokenizer.json": {
          added_tokens: [{ content: "[CLS]", id: 5 }],
          model: { vocab: ["a", "b", "c", "d", "e", "[CLS]", "[MASK]"].map((t) => [t, 0]) },
        },
      },
      { "vocab.json": { "[CLS]": 5, "[MASK]": 6 } },
      { "vocab.txt": "a\nb\nc\nd\ne\n[CLS]\n[MASK]" },
    ]
  ) assert.deepEqual(await find("bert", { ...map, ...files }), expected, JSON.stringify(files));
});

Deno.test("findSpecialTokens() survives files of another shape", async () => {
  for (
    const odd of [[], 7, null, "text", { added_tokens: 3, model: [] }, { added_tokens: [null, 4] }]
  ) {
    const files = { "tokenizer.json": odd, "tokenizer_config.json": odd, "vocab.json": odd };
    const found = await find(
      "bert",
      Object.fromEntries(
        Object.entries(files).map(([name, value]) => [name, JSON.stringify(value)]),
      ),
    );
    assert.deepEqual(found, { first: undefined, mask: undefined });
  }
  await assert.rejects(find("bert", { "tokenizer.json": "{" }), SyntaxError);
  await assert.rejects(find("t5", {}), ConversionError);
});
