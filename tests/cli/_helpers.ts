import { createDenoHost, type DenoHostOptions } from "../../harness/deno_host.ts";
import type { Host } from "../../harness/host.ts";

/** Root of the project. */
export const PROJECT = new URL("../../", import.meta.url).pathname;

/** What a command line did. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line as a child, without the launcher. */
export async function runMain(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<CommandResult> {
  return await runDeno([
    "run",
    "--quiet",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-sys=cpus,osRelease,systemMemoryInfo",
    `${PROJECT}harness/main.ts`,
    ...args,
  ], options);
}

/** Runs Deno as a child and waits for it. */
export async function runDeno(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<CommandResult> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: options.cwd ?? PROJECT,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** A temporary folder that is removed when it goes out of scope. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "attention-bench-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** A Deno host whose messages are kept instead of printed. */
export function recordingHost(
  options: DenoHostOptions & { env?: Record<string, string>; isTerminal?: boolean } = {},
): Host & { printed: string[]; errors: string[] } {
  const printed: string[] = [];
  const errors: string[] = [];
  return {
    ...createDenoHost(options),
    env: (name) => options.env?.[name],
    isTerminal: () => options.isTerminal ?? false,
    print: (line) => void printed.push(line),
    printError: (line) => void errors.push(line),
    writeError: (text) => void errors.push(text),
    printed,
    errors,
  };
}
