/** Longest time a program that only describes the machine may take in milliseconds. */
const TIME_LIMIT_MS = 10_000;

/**
 * Standard output of an installed program; `undefined` where it is missing, not permitted, slow or
 * fails.
 *
 * @param name Program name without a path.
 */
export async function runProgram(
  name: string,
  args: string[],
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(name, {
      args,
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(TIME_LIMIT_MS),
      ...cleanEnvironment(),
    }).output();
    return success ? stdout : undefined;
  } catch {
    return undefined;
  }
}

/**
 * With the bundled adapter `LD_LIBRARY_PATH` is set, and a process without the full permission to
 * run programs may start none that would inherit it.
 */
function cleanEnvironment(): { clearEnv?: boolean; env?: Record<string, string> } {
  if (Deno.build.os !== "linux" || Deno.env.get("LD_LIBRARY_PATH") === undefined) return {};
  const kept = ["PATH", "HOME"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { clearEnv: true, env: Object.fromEntries(kept) };
}
