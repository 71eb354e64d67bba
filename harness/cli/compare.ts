import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag, option } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import { compareResults, hasRegression, renderComparison } from "../compare.ts";
import type { Host } from "../host.ts";
import { readResultFile } from "./read_result_file.ts";

/** `compare A B [...] [--out file] [--json] [--fail-on-regression]` */
export const compareCommand = command(
  "compare",
  object({
    command: constant("compare"),
    files: multiple(
      argument(path({ metavar: "RESULT" }), {
        description: message`Result files (JSON); the first one is the baseline.`,
      }),
      {
        min: 2,
        errors: { tooFew: message`Name two result files or more; the first is the baseline.` },
      },
    ),
    out: optional(
      option("--out", path({ metavar: "FILE" }), {
        description: message`Write the comparison to a file instead of standard output.`,
      }),
    ),
    json: withDefault(
      flag("--json", { description: message`Print JSON for another program.` }),
      false,
    ),
    failOnRegression: withDefault(
      flag("--fail-on-regression", { description: message`Exit with 1 where any row is worse.` }),
      false,
    ),
  }),
  { description: message`Compare result files row by row; hardware and software never mix.` },
);

/** Compares each result with the first one. */
export async function runCompare(
  options: {
    files: readonly string[];
    out: string | undefined;
    json: boolean;
    failOnRegression: boolean;
  },
  host: Host,
): Promise<number> {
  const results = await Promise.all(options.files.map((file) => readResultFile(host, file)));
  const comparisons = compareResults(results);
  const text = options.json
    ? JSON.stringify(
      comparisons.map(({ baseline, candidate, ...rest }) => ({
        baseline: baseline.runId,
        candidate: candidate.runId,
        ...rest,
      })),
      null,
      2,
    )
    : renderComparison(comparisons).trimEnd();
  if (options.out === undefined) host.print(text);
  else {
    await host.writeFileAtomic(options.out, text + "\n");
    host.printError(`Written: ${options.out}`);
  }
  return options.failOnRegression && hasRegression(comparisons) ? 1 : 0;
}
