import type { EncoderInput } from "../encoder_training/batches.ts";
import type { EncoderTokenizer } from "../encoder_training/encoder_tokenizer.ts";
import type { LongDocument } from "./documents.ts";

/** A document as a model sees it, cut to a length. */
export interface LongInput extends EncoderInput {
  readonly id: string;
  /** Class; 0 where the answer is a span. */
  readonly label: number;
  /** First and last token of the answer. */
  readonly span?: readonly [number, number];
  /** Where in its context the answer stands. */
  readonly position?: string;
}

/**
 * `[CLS] text [SEP]`, `[CLS] first [SEP] second [SEP]` or `[CLS] question [SEP] context [SEP]`, of at most `length` tokens. The halves
 * of a pair share the length; a context loses tokens at both ends, so that its answer stays and keeps its place.
 */
export function encodeInput(
  tokenizer: EncoderTokenizer,
  document: LongDocument,
  length: number,
): LongInput {
  const { cls, sep } = tokenizer;
  const { id } = document;
  if ("text" in document) {
    const body = tokenizer.encode(document.text).subarray(0, length - 2);
    return { id, label: document.label, ids: Int32Array.of(cls, ...body, sep) };
  }
  if ("first" in document) {
    const [a, b] = [document.first, document.second].map((text) => tokenizer.encode(text));
    const room = length - 3;
    const half = Math.floor(room / 2);
    const first = a.subarray(0, Math.max(half, room - b.length));
    const second = b.subarray(0, room - first.length);
    return {
      id,
      label: document.label,
      ids: Int32Array.of(cls, ...first, sep, ...second, sep),
      secondFrom: first.length + 2,
    };
  }
  const question = tokenizer.encode(document.question);
  const [before, answer, after] = [document.before, document.answer, document.after]
    .map((text) => tokenizer.encode(text));
  const room = length - 3 - question.length - answer.length;
  const excess = Math.max(0, before.length + after.length - room);
  const lost = Math.round(excess * before.length / Math.max(1, before.length + after.length));
  const lead = before.subarray(lost);
  const tail = after.subarray(0, Math.max(0, after.length - (excess - lost)));
  const start = question.length + 2 + lead.length;
  return {
    id,
    label: 0,
    ids: Int32Array.of(cls, ...question, sep, ...lead, ...answer, ...tail, sep),
    secondFrom: question.length + 2,
    span: [start, start + answer.length - 1],
    position: document.position,
  };
}
