/**
 * Worked arithmetic, algebra and logical inference, made by a seeded grammar: the embedded stand-in for sets of mathematical text.
 * @module
 */

import {
  checkSplitName,
  type Corpus,
  type CorpusSplit,
  type Document,
  splitSha256,
} from "../corpus.ts";
import { DataChecksumError } from "../errors.ts";
import { REASONING_TEXT } from "../manifest.ts";
import { random32 } from "../random.ts";
import { drawProblem } from "./reasoning_problems.ts";

/** Split of a problem. */
export type ReasoningSplit = "train" | "validation" | "test";

const SPLITS: readonly ReasoningSplit[] = ["train", "validation", "test"];
/** Documents of each split and the number of its random stream. */
const PLAN = {
  train: { documents: 1200, stream: 1 },
  validation: { documents: 150, stream: 2 },
  test: { documents: 150, stream: 3 },
} as const;
/** Problems of a document. */
const PROBLEMS = 8;
const SEED = 20_220_830;

/**
 * The split a problem belongs to: a hash of its key, 8 : 1 : 1. No problem is in two splits, however often it is drawn, so the test asks
 * nothing that training answered.
 */
export function reasoningSplit(key: string): ReasoningSplit {
  let hash = SEED;
  for (let i = 0; i < key.length; i++) hash = random32(hash, key.charCodeAt(i), i);
  const place = hash % 10;
  return place === 9 ? "test" : place === 8 ? "validation" : "train";
}

/** Opens the corpus; nothing is generated before a split is loaded. */
export function openReasoningText(): Corpus {
  const { id, title, licence } = REASONING_TEXT;
  return { id, title, licence, splits: SPLITS, load };
}

async function load(split: string): Promise<CorpusSplit> {
  checkSplitName(REASONING_TEXT.id, split, SPLITS);
  const documents = makeReasoningText(split as ReasoningSplit);
  const sha256 = await splitSha256(documents);
  const expected = REASONING_TEXT.splits[split].sha256;
  if (sha256 !== expected) {
    throw new DataChecksumError(
      `${REASONING_TEXT.id}/${split}`,
      sha256,
      expected,
      "the generator and the manifest belong to different versions of the suite; update both",
    );
  }
  return { corpus: REASONING_TEXT.id, split, documents, sha256, trust: "pinned" };
}

/** The documents of a split, not verified: problems one a line, those of other splits passed over. */
export function makeReasoningText(split: ReasoningSplit): Document[] {
  const { documents, stream } = PLAN[split];
  let counter = 0;
  const draw = (below: number) => Math.floor(random32(SEED, stream, counter++) / 2 ** 32 * below);
  return Array.from({ length: documents }, (_, i) => {
    const lines: string[] = [];
    while (lines.length < PROBLEMS) {
      const { key, text } = drawProblem(draw);
      if (reasoningSplit(key) === split) lines.push(text);
    }
    return { id: `${split}-${i}`, text: lines.join("\n") + "\n" };
  });
}
