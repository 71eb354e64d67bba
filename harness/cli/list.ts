import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { withDefault } from "@optique/core/modifiers";
import { command, constant, flag } from "@optique/core/primitives";
import type { Host } from "../host.ts";
import { loadBenchmark, type Registry } from "../registry.ts";

/** `list [--json]` */
export const listCommand = command(
  "list",
  object({
    command: constant("list"),
    json: withDefault(
      flag("--json", { description: message`Print JSON for another program.` }),
      false,
    ),
  }),
  { description: message`List the benchmarks with the question each answers.` },
);

/** Prints every benchmark: name, what it reproduces, the question, and its work per preset. */
export async function runList(
  options: { json: boolean },
  host: Host,
  registry: Registry,
): Promise<number> {
  const rows = [];
  for (const name of Object.keys(registry)) {
    const { title, question, source, version, presets, tasks } = await loadBenchmark(
      name,
      registry,
    );
    const plan = Object.entries(presets).map(([preset, config]) => [preset, tasks(config).length]);
    rows.push({ name, version, title, question, source, tasks: Object.fromEntries(plan) });
  }
  if (options.json) {
    host.print(JSON.stringify(rows, null, 2));
    return 0;
  }
  if (rows.length === 0) host.print("No benchmarks are registered.");
  for (const row of rows) {
    const plan = Object.entries(row.tasks).map(([preset, count]) => `${preset} ${count}`);
    host.print(`${row.name}  ${row.title}`);
    host.print(`  ${row.question}`);
    host.print(`  Source: ${row.source.title} (${row.source.year}), ${row.source.url}`);
    host.print(`  Tasks: ${plan.join(", ")}`);
  }
  return 0;
}
