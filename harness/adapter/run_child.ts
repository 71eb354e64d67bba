/** Options of {@link runChild}. */
export interface RunChildOptions {
  /** Flags and arguments after the Deno executable. */
  args: string[];
  /** Variables added to this process's environment. */
  environment: Record<string, string>;
  /** Sees standard output line by line while it is passed on; without it, output is inherited. */
  onOutputLine?: (line: string) => void;
}

const SIGNAL_NUMBERS: Partial<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/**
 * Runs Deno again as a child with the terminal handed through, and gives its exit code (128 + n
 * where signal n ended it). Signals sent to this process reach the child, which decides how to end;
 * this process waits for it, so the prompt returns only when the journal is on disk.
 */
export async function runChild(options: RunChildOptions): Promise<number> {
  const { args, environment, onOutputLine } = options;
  const child = new Deno.Command(Deno.execPath(), {
    args,
    env: environment,
    stdin: "inherit",
    stdout: onOutputLine ? "piped" : "inherit",
    stderr: "inherit",
  }).spawn();
  // On a terminal Ctrl-C also goes to the child directly; it counts two that close together as one.
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  const forward = signals.map((signal) => ({
    signal,
    handler: () => {
      try {
        child.kill(Deno.build.os === "windows" ? "SIGTERM" : signal);
      } catch {
        // It has ended already.
      }
    },
  }));
  for (const { signal, handler } of forward) Deno.addSignalListener(signal, handler);
  try {
    if (onOutputLine) await passOn(child.stdout, onOutputLine);
    const { code, signal } = await child.status;
    return signal ? 128 + (SIGNAL_NUMBERS[signal] ?? 0) : code;
  } finally {
    for (const { signal, handler } of forward) Deno.removeSignalListener(signal, handler);
  }
}

async function passOn(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of output) {
    for (let at = 0; at < chunk.length;) at += Deno.stdout.writeSync(chunk.subarray(at));
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  }
  if (rest) onLine(rest);
}
