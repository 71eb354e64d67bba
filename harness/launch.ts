/**
 * Entry of the tasks in deno.json: finds an adapter, then runs the command in a child that has the
 * adapter's environment and only the permissions of that command.
 *
 * The child is needed because drivers are picked when a process starts, and it is welcome because
 * this launcher may start processes and the measuring code may not.
 * @module
 */
import { findAdapterChoice, prepareAdapter, runChild } from "./adapter/mod.ts";
import { withoutAlias } from "./cli/command_alias.ts";
import { createDenoHost } from "./deno_host.ts";
import { type Host, StorageError } from "./host.ts";
import { UserError } from "./user_error.ts";
import { needsAdapter, workerPermissions } from "./worker_permissions.ts";

/** Runs a command line and gives its exit code. */
export async function launch(typed: string[]): Promise<number> {
  const host = createDenoHost();
  const args = withoutAlias(typed);
  try {
    let environment: Record<string, string> = {};
    if (needsAdapter(args) && !asksForHelp(args)) {
      environment = await adapterEnvironment(host, args);
    }
    return await runChild({
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        ...workerPermissions(args, host),
        new URL("./main.ts", import.meta.url).pathname,
        ...args,
      ],
      environment,
    });
  } catch (error) {
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

async function adapterEnvironment(host: Host, args: string[]): Promise<Record<string, string>> {
  try {
    const selection = await prepareAdapter(host, findAdapterChoice(args));
    return { ...selection.environment, ATTENTION_BENCH_ADAPTER: selection.kind };
  } catch (error) {
    // The doctor's work is to explain this, among other things.
    if (args[0] !== "doctor" || !(error instanceof UserError)) throw error;
    return { ATTENTION_BENCH_ADAPTER_PROBLEM: error.message };
  }
}

function asksForHelp(args: string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

if (import.meta.main) Deno.exit(await launch(Deno.args));
