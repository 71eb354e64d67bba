/**
 * Classification, matching and question answering on public text.
 * @module
 */
export * from "./document_pairs.ts";
export {
  type FactbookQuestion,
  openFactbookQuestions,
  QUESTION_FIELDS,
  type QuestionTask,
} from "./factbook_questions.ts";
export { FACTBOOK_SECTIONS, openFactbookSections } from "./factbook_sections.ts";
export { openLicences } from "./licences.ts";
export * from "./manifest.ts";
export { openNewsgroups } from "./newsgroups.ts";
export * from "./open_task.ts";
export { openBrownGenres, openSpamMails } from "./opt_in_tasks.ts";
export * from "./question_contexts.ts";
export { sharedRuns, wordRuns } from "./text_overlap.ts";
export * from "./text_task.ts";
export { openUnionPeriods, UNION_PERIODS, unionPeriod } from "./union_periods.ts";
