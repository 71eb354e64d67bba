import type { Host } from "../host.ts";

/** Exit code of a process that was stopped by Ctrl-C. */
export const INTERRUPTED = 130;

/** Two signals closer than this are one: a terminal and the launcher both pass Ctrl-C on. */
const SAME_SIGNAL_MS = 300;

/** Turns Ctrl-C into an abort signal for the length of a `using` block. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  readonly #handler: () => void;

  /**
   * The first Ctrl-C ends the run after the step in work; the second one ends the process at once,
   * which loses the task in work and nothing else.
   */
  constructor(host: Host) {
    let first: number | undefined;
    this.#handler = () => {
      const now = performance.now();
      if (first === undefined) {
        first = now;
        host.printError("\nStopping after the step in work; press Ctrl-C again to stop at once.");
        this.#controller.abort(new DOMException("stopped by the user", "AbortError"));
      } else if (now - first > SAME_SIGNAL_MS) {
        Deno.exit(INTERRUPTED);
      }
    };
    for (const signal of this.#signals) Deno.addSignalListener(signal, this.#handler);
  }

  /** Aborted by the first Ctrl-C. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) Deno.removeSignalListener(signal, this.#handler);
  }
}
