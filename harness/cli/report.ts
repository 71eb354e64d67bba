import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag, option } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import type { Host } from "../host.ts";
import { loadBenchmark, type Registry } from "../registry.ts";
import { regenerateReport, writeResult } from "../report/mod.ts";
import { mergeResults } from "../runner.ts";
import { UserError } from "../user_error.ts";
import { readResultFile } from "./read_result_file.ts";

/** `report file... [--merge] [--out folder]` */
export const reportCommand = command(
  "report",
  object({
    command: constant("report"),
    files: multiple(
      argument(path({ metavar: "RESULT" }), { description: message`Result files (JSON).` }),
      { min: 1, errors: { tooFew: message`Name a result file (JSON).` } },
    ),
    merge: withDefault(
      flag("--merge", {
        description: message`Join the parts of a run that was split with --shard into one result.`,
      }),
      false,
    ),
    out: optional(
      option("--out", path({ metavar: "FOLDER" }), {
        description: message`With --merge: folder for the result instead of results/.`,
      }),
    ),
  }),
  { description: message`Write reports again from result files, or join the parts of a run.` },
);

/** Writes Markdown and charts beside each result file; with `merge` joins the files first. */
export async function runReport(
  options: { files: readonly string[]; merge: boolean; out: string | undefined },
  host: Host,
  registry: Registry,
): Promise<number> {
  if (options.merge) {
    const parts = await Promise.all(options.files.map((file) => readResultFile(host, file)));
    const benchmark = await loadBenchmark(parts[0].benchmark.name, registry);
    const result = await mergeResults(benchmark, parts);
    const target = options.out === undefined ? host : { ...host, resultsDir: options.out };
    const { json, markdown } = await writeResult(target, result);
    host.print(json);
    host.print(markdown);
    if (!result.complete) {
      host.printError("Tasks are missing: not every part was given, or a part is incomplete.");
    }
    return result.complete ? 0 : 1;
  }
  if (options.out !== undefined) {
    throw new UserError("Cannot use --out without --merge: reports are written beside their file");
  }
  for (const file of options.files) {
    await readResultFile(host, file); // a missing file gets its own message
    for (const written of await regenerateReport(host, file)) host.print(written);
  }
  return 0;
}
