import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import type { InferValue } from "@optique/core/parser";
import { adapterOption } from "./options.ts";
import { shardValue } from "./shard.ts";

/** `bench <name...|all> [options]`, for benchmarks of these names. */
export const benchCommand = (names: readonly string[]) =>
  command(
    "bench",
    object({
      command: constant("bench"),
      names: multiple(
        argument(
          choice([...names, "all"], { metavar: "NAME", suggest: "nearest" }),
          { description: message`A benchmark (see the list command), or all.` },
        ),
        {
          min: 1,
          errors: { tooFew: message`Name a benchmark, or all (the list task shows them).` },
        },
      ),
      preset: optional(
        option(
          "--preset",
          choice(["smoke", "small", "paper"], { metavar: "PRESET", suggest: "nearest" }),
          {
            description:
              message`Size of the run. Without it: small on a GPU, smoke on a software adapter.`,
          },
        ),
      ),
      set: multiple(
        option("--set", string({ metavar: "KEY=VALUE" }), {
          description: message`Change one value of the preset; may be repeated.`,
        }),
      ),
      seed: withDefault(
        option("--seed", integer({ min: 0, max: 0xffffffff, metavar: "N" }), {
          description: message`Seed that all random numbers derive from.`,
        }),
        1,
      ),
      adapter: adapterOption,
      shard: optional(
        option("--shard", shardValue(), {
          description: message`Run part I of N; join the parts with report --merge.`,
        }),
      ),
      machine: optional(
        option("--machine", string({ metavar: "NAME" }), {
          description:
            message`Folder name under the results folder; made from the adapter by default.`,
        }),
      ),
      out: optional(
        option("--out", string({ metavar: "FOLDER" }), {
          description: message`Folder for the results instead of results/.`,
        }),
      ),
      json: withDefault(
        flag("--json", { description: message`Print the result as JSON on standard output.` }),
        false,
      ),
      calibration: withDefault(
        map(
          flag("--no-calibration", {
            description:
              message`Do not measure the machine's roof before and after; shares of it are missing then.`,
          }),
          () => false,
        ),
        true,
      ),
      tune: withDefault(
        option(
          "--tune",
          choice(["auto", "always", "never"], { metavar: "WHEN", suggest: "nearest" }),
          {
            description:
              message`Time kernel variants before the run and keep the choice in the cache. auto: on a GPU only.`,
          },
        ),
        "auto" as const,
      ),
      fresh: withDefault(
        flag("--fresh", {
          description: message`Start over instead of resuming an interrupted run.`,
        }),
        false,
      ),
    }),
    { description: message`Run benchmarks and write a report of each.` },
  );

/** What {@link benchCommand} parses to. */
export type BenchOptions = InferValue<ReturnType<typeof benchCommand>>;
