import { BytePairTokenizer, END_OF_TEXT } from "../../data/mod.ts";
import { BYTE_TO_CHARACTER } from "../../data/tokenizers/byte_alphabet.ts";
import type { TokenizerDescription } from "./exported_model.ts";
import { gpt2TokenizerJson } from "./gpt2_tokenizer_json.ts";

/**
 * `tokenizer.json` and `tokenizer_config.json` of a tokenizer.
 *
 * @param positions Longest context of the model.
 * @returns undefined for a tokenizer that the format cannot express.
 */
export async function tokenizerFiles(
  tokenizer: TokenizerDescription,
  positions: number,
): Promise<Record<string, object> | undefined> {
  const json = tokenizer.json ?? await jsonByName(tokenizer.name);
  if (!json) return undefined;
  const { added_tokens = [] } = json as { added_tokens?: { id: number; content: string }[] };
  const end = added_tokens.find(({ id }) => id === tokenizer.endOfText)?.content ?? END_OF_TEXT;
  return {
    "tokenizer.json": json,
    "tokenizer_config.json": {
      tokenizer_class: "PreTrainedTokenizerFast",
      model_max_length: positions,
      bos_token: end,
      eos_token: end,
      unk_token: end,
      clean_up_tokenization_spaces: false,
    },
  };
}

async function jsonByName(name: string): Promise<object | undefined> {
  switch (name) {
    case "gpt2":
      return await gpt2TokenizerJson();
    case "byte":
      // Without merges every byte of a piece stays an id of its own.
      return new BytePairTokenizer({
        tokens: [...BYTE_TO_CHARACTER, END_OF_TEXT],
        merges: [],
        endOfText: BYTE_TO_CHARACTER.length,
      }).toTokenizerJson();
    default:
      return undefined;
  }
}
