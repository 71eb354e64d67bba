/**
 * Contexts for factbook questions: the profile's text cut to a length, with the answer where it is wanted.
 * @module
 */

import { random32 } from "../random.ts";
import { type FactbookQuestion, labelOf, type QuestionTask } from "./factbook_questions.ts";

/** Thirds of a context in which an answer can stand. */
export const ANSWER_POSITIONS = ["early", "middle", "late"] as const;
/** One of {@link ANSWER_POSITIONS}. */
export type AnswerPosition = typeof ANSWER_POSITIONS[number];

/** A question with its context `before + answer + after`. */
export interface QuestionExample {
  readonly id: string;
  readonly question: string;
  readonly before: string;
  readonly answer: string;
  readonly after: string;
  readonly position: AnswerPosition;
  readonly group: string;
}

/** Settings of {@link placeAnswer}. */
export interface ContextOptions {
  /** Words of the context; shorter where the profile is. */
  readonly words: number;
  readonly position: AnswerPosition;
  /** Draws where in the third the answer stands and which part of the profile surrounds it. */
  readonly seed: number;
}

/**
 * Builds a context: fields of the profile as `name: text`, in the profile's order from a drawn place on, with the answer's field moved to
 * the wanted third, between two sentences. Other fields that contain the answer are left out, so that the span is the only one.
 */
export function placeAnswer(
  { fields }: Pick<QuestionTask, "fields">,
  question: FactbookQuestion,
  { words, position, seed }: ContextOptions,
): QuestionExample {
  const uniform = (index: number) => random32(seed, 0, index) / 2 ** 32;
  const own = (fields.get(question.group) ?? [])
    .filter((f) => labelOf(f) !== question.question && !f.text.includes(question.answer))
    .flatMap((field) => `${labelOf(field)}: ${field.text}.`.split(/(?<=[.;]) /));
  const start = Math.floor(uniform(0) * own.length);
  const asked = `${question.question}: ${question.answer}${question.rest}.`;
  const rest = takeWords(
    [...own.slice(start), ...own.slice(0, start)],
    Math.max(0, words - countWords(asked)),
  );
  const total = rest.reduce((sum, line) => sum + countWords(line), 0);
  const wanted = total * (ANSWER_POSITIONS.indexOf(position) + uniform(1)) / 3;
  let at = 0;
  // The field goes before the line in whose middle or later the wanted place falls.
  for (let passed = 0; at < rest.length; at++) {
    passed += countWords(rest[at]);
    if (passed > wanted) break;
  }
  const lead = rest.slice(0, at).map((line) => `${line} `).join("");
  const tail = rest.slice(at).map((line) => ` ${line}`).join("");
  return {
    id: `${question.id}/${position}`,
    question: question.question,
    before: `${lead}${question.question}: `,
    answer: question.answer,
    after: `${question.rest}.${tail}`,
    position,
    group: question.group,
  };
}

/** Whole lines, and the last one cut, up to a number of words. */
function takeWords(lines: readonly string[], words: number): string[] {
  const taken: string[] = [];
  for (const line of lines) {
    if (words <= 0) break;
    taken.push(line.split(" ").slice(0, words).join(" "));
    words -= countWords(line);
  }
  return taken;
}

function countWords(text: string): number {
  return text.split(" ").length;
}

/**
 * Questions of training and of test countries; the countries are dealt out in a shuffled order.
 *
 * @throws {RangeError} If the fold does not exist.
 */
export function questionFold(
  questions: readonly FactbookQuestion[],
  { fold, folds, seed }: { fold: number; folds: number; seed: number },
): { train: FactbookQuestion[]; test: FactbookQuestion[] } {
  if (!(Number.isInteger(fold) && fold >= 0 && fold < folds && folds >= 2)) {
    throw new RangeError(
      `Cannot split the questions: fold is ${fold} of ${folds}, expected 2 folds or more`,
    );
  }
  const order = [...new Set(questions.map(({ group }) => group))].sort()
    .map((group, i) => ({ group, key: random32(seed, 0, i) })).sort((a, b) => a.key - b.key);
  const held = new Set(order.filter((_, i) => i % folds === fold).map(({ group }) => group));
  return {
    train: questions.filter(({ group }) => !held.has(group)),
    test: questions.filter(({ group }) => held.has(group)),
  };
}
