import { BytePairTokenizer, END_OF_TEXT } from "../../data/mod.ts";
import { BYTE_TO_CHARACTER } from "../../data/tokenizers/byte_alphabet.ts";

/**
 * GPT-2's tokenizer as tokenizer.json. The package lists tokens by rank without their merges, so each token's merge is found again:
 * it joins the two tokens that its bytes reach with the merges of lower rank.
 */
export async function gpt2TokenizerJson(): Promise<object> {
  const { default: ranks } = await import("gpt-tokenizer/bpeRanks/r50k_base");
  const encoder = new TextEncoder();
  const tokens = Array.from(ranks as readonly (string | readonly number[])[], (token) => {
    const bytes = typeof token === "string" ? encoder.encode(token) : token;
    return Array.from(bytes, (byte) => BYTE_TO_CHARACTER[byte]).join("");
  });
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merges: [number, number][] = [];
  tokens.forEach((token, rank) => {
    if (token.length > 1) merges.push(lastMerge(token, rank, ids));
  });
  return new BytePairTokenizer({
    tokens: [...tokens, END_OF_TEXT],
    merges,
    endOfText: tokens.length,
  }).toTokenizerJson();
}

/** The two tokens left when every merge of a rank below `rank` was done. */
function lastMerge(
  token: string,
  rank: number,
  ids: ReadonlyMap<string, number>,
): [number, number] {
  const parts = [...token];
  while (parts.length > 2) {
    let best = -1;
    let bestRank = rank;
    for (let i = 0; i + 1 < parts.length; i++) {
      const joined = ids.get(parts[i] + parts[i + 1]) ?? Infinity;
      if (joined < bestRank) [best, bestRank] = [i, joined];
    }
    if (best < 0) {
      throw new RangeError(
        `Cannot write GPT-2's tokenizer: token ${rank} is no join of two tokens; use the pinned ` +
          "version of gpt-tokenizer",
      );
    }
    parts.splice(best, 2, parts[best] + parts[best + 1]);
  }
  return [ids.get(parts[0])!, ids.get(parts[1])!];
}
