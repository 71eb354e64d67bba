/**
 * Classification tasks on public text.
 * @module
 */
export { FACTBOOK_SECTIONS, openFactbookSections } from "./factbook_sections.ts";
export * from "./manifest.ts";
export { openNewsgroups } from "./newsgroups.ts";
export * from "./open_task.ts";
export { openBrownGenres, openSpamMails } from "./opt_in_tasks.ts";
export * from "./text_task.ts";
export { openUnionPeriods, UNION_PERIODS, unionPeriod } from "./union_periods.ts";
