/**
 * The command line. Started by `launch.ts` (which has found an adapter) or directly.
 * @module
 */
import { or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { run } from "@optique/run";
import project from "../deno.json" with { type: "json" };
import { runBench } from "./cli/bench.ts";
import { benchCommand } from "./cli/bench_command.ts";
import { compareCommand, runCompare } from "./cli/compare.ts";
import { runConvert } from "./cli/convert.ts";
import { convertCommand } from "./cli/convert_command.ts";
import { dataCommand, runData } from "./cli/data.ts";
import { withoutAlias } from "./cli/command_alias.ts";
import { doctorCommand, runDoctor } from "./cli/doctor.ts";
import { exportCommand, runExport } from "./cli/export.ts";
import { listCommand, runList } from "./cli/list.ts";
import { reportCommand, runReport } from "./cli/report.ts";
import { createDenoHost } from "./deno_host.ts";
import { type Host, StorageError } from "./host.ts";
import { BENCHMARKS, type Registry } from "./registry.ts";
import { UserError } from "./user_error.ts";

const commands = (names: readonly string[]) =>
  or(
    benchCommand(names),
    listCommand,
    doctorCommand,
    compareCommand,
    reportCommand,
    dataCommand,
    exportCommand,
    convertCommand,
  );

/**
 * Parses and runs a command line.
 *
 * @returns The exit code: 0 ok, 1 something failed, 2 wrong use, 130 interrupted.
 */
export async function main(
  args: readonly string[],
  host: Host,
  registry: Registry = BENCHMARKS,
): Promise<number> {
  const options = run(commands(Object.keys(registry)), {
    programName: "deno task",
    args: withoutAlias(args),
    brief: message`Train and measure attention mechanisms on any GPU through WebGPU.`,
    help: "both",
    version: { value: project.version, option: true },
    completion: "both",
    aboveError: "none",
    errorExitCode: 2,
    showDefault: true,
    onExit: (code) => Deno.exit(code),
  });
  try {
    switch (options.command) {
      case "bench":
        return await runBench(options, host, registry);
      case "list":
        return await runList(options, host, registry);
      case "doctor":
        return await runDoctor(options, host);
      case "compare":
        return await runCompare(options, host);
      case "report":
        return await runReport(options, host, registry);
      case "data":
        return await runData(options, host);
      case "export":
        return await runExport(options, host);
      case "convert":
        return await runConvert(options, host);
    }
  } catch (error) {
    // The one place where a person's mistake becomes one line; anything else is a bug and keeps
    // its stack.
    if (error instanceof UserError) {
      host.printError(`Error: ${error.message}`);
      return error.exitCode;
    }
    if (error instanceof StorageError) {
      host.printError(`Error: ${error.message}`);
      return 1;
    }
    throw error;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args, createDenoHost()));
