/**
 * Runs the tests on any machine: makes sure of an adapter as the command line does, then runs
 * `deno test` with listed permissions as a child that sees it.
 *
 *     deno task test                        # everything
 *     deno task test tests/engine           # one folder
 *     deno task test --adapter=bundled      # on SwiftShader even where something better exists
 *     deno task test --filter="softmax()"   # any other option of deno test
 *
 * The last line is `N passed, N failed`; the exit code is that of `deno test`.
 * @module
 */
import { findAdapterChoice, prepareAdapter, runChild } from "../harness/adapter/mod.ts";
import { createDenoHost } from "../harness/deno_host.ts";
import { UserError } from "../harness/user_error.ts";

/** Counts of a test run. */
export interface TestCounts {
  passed: number;
  failed: number;
  ignored: number;
}

/** Reads the counts off the closing line of `deno test`; `undefined` for any other line. */
export function readCounts(line: string): TestCounts | undefined {
  // deno-lint-ignore no-control-regex
  const text = line.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const match = text.match(/^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/);
  if (!match) return undefined;
  return {
    passed: Number(match[1]),
    failed: Number(match[2]),
    ignored: Number(text.match(/\| (\d+) ignored/)?.[1] ?? 0),
  };
}

/** Arguments for `deno test`: the launcher's own option is taken out, paths get a default. */
export function testArguments(args: readonly string[]): string[] {
  const kept = args.filter((arg, i) =>
    !arg.startsWith("--adapter=") && arg !== "--adapter" && args[i - 1] !== "--adapter"
  );
  return kept.some((arg) => !arg.startsWith("-")) ? kept : [...kept, "tests/"];
}

/** Exit codes of a crash: 128 + SIGABRT, SIGBUS, SIGSEGV. */
const CRASH_CODES: readonly number[] = [134, 135, 139];

/**
 * Exit code of a test run. Software drivers sometimes crash while several devices are torn down at exit; once the closing line says that
 * nothing failed, such a crash says nothing about the tests.
 */
export function testVerdict(code: number, counts: TestCounts): number {
  return CRASH_CODES.includes(code) && counts.failed === 0 ? 0 : code;
}

/** What the tests may do. Tests of the command line start Deno as a child. */
const PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  "--allow-net=127.0.0.1,localhost",
  "--allow-sys=cpus,osRelease,systemMemoryInfo",
];

async function main(args: string[]): Promise<number> {
  const host = createDenoHost();
  try {
    const { environment, kind } = await prepareAdapter(host, findAdapterChoice(args));
    let counts: TestCounts | undefined;
    const code = await runChild({
      args: ["test", "--quiet", "--no-prompt", ...PERMISSIONS, ...testArguments(args)],
      environment: { ...environment, ATTENTION_BENCH_ADAPTER: kind },
      onOutputLine: (line) => counts = readCounts(line) ?? counts,
    });
    if (!counts) {
      host.printError("Error: the tests did not run to the end (see above)");
      return code || 1;
    }
    if (counts.ignored > 0) host.print(`${counts.ignored} ignored`);
    const verdict = testVerdict(code, counts);
    if (verdict !== code) {
      host.printError(
        `Warning: the graphics driver crashed at exit (code ${code}), after all tests had finished`,
      );
    }
    host.print(`${counts.passed} passed, ${counts.failed} failed`);
    return verdict;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    host.printError(`Error: ${error.message}`);
    return error.exitCode;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
