/**
 * Classification tasks by name.
 * @module
 */

import type { NetworkStore, Warn } from "../data_store.ts";
import { npmPackageFiles, type PackageFiles } from "../npm_sources.ts";
import { openBrownGenres, openSpamMails } from "./opt_in_tasks.ts";
import { openFactbookSections } from "./factbook_sections.ts";
import { openLicences } from "./licences.ts";
import { TASK_NAMES, type TaskName } from "./manifest.ts";
import { openNewsgroups } from "./newsgroups.ts";
import type { TextTask } from "./text_task.ts";
import { openUnionPeriods } from "./union_periods.ts";

/** Settings of {@link openTask}. */
export interface OpenTaskOptions {
  /** Network and cache for sets from the hub. */
  readonly store: NetworkStore;
  /** Where package files come from. @default the packages in deno.lock */
  readonly packageFiles?: PackageFiles;
  readonly warn?: Warn;
  readonly signal?: AbortSignal;
}

/** Opens and verifies a task. A set that cannot be had is an error; no other set takes its place. */
export async function openTask(name: TaskName, options: OpenTaskOptions): Promise<TextTask> {
  const { packageFiles = npmPackageFiles } = options;
  switch (name) {
    case "factbook-sections":
      return await openFactbookSections(packageFiles);
    case "union-periods":
      return await openUnionPeriods(packageFiles);
    case "spdx-licences":
      return await openLicences(packageFiles);
    case "spam-mails":
      return await openSpamMails(packageFiles);
    case "brown-genres":
      return await openBrownGenres(packageFiles);
    case "20-newsgroups":
      return await openNewsgroups(options);
    default:
      throw new RangeError(
        `Cannot open task: name is "${name}", expected one of ${TASK_NAMES.join(", ")}`,
      );
  }
}
