/**
 * Tokenizers from a hub.
 * @module
 */

import { decodeUtf8, type Trust } from "../corpus.ts";
import { fetchHubFile, type HubFile, type HubOptions } from "../hub.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { openTokenizerJson } from "./tokenizer_json.ts";

/** A tokenizer from a hub, with what a report must say about it. */
export interface HubTokenizer {
  readonly tokenizer: Tokenizer;
  readonly sha256: string;
  readonly trust: Trust;
  /** Commit that the hub said it served, where it said so. */
  readonly commit?: string;
}

/** Downloads (or takes from the cache) a tokenizer.json and opens it. */
export async function openHubTokenizer(file: HubFile, options: HubOptions): Promise<HubTokenizer> {
  const { bytes, sha256, trust, commit } = await fetchHubFile(file, options);
  const json: unknown = JSON.parse(decodeUtf8(bytes, file.path));
  return { tokenizer: openTokenizerJson(json, { name: file.repo }), sha256, trust, commit };
}
