import type { Host } from "../host.ts";

/** What a running plan tells: see {@link ProgressLine.update}. */
export interface ProgressState {
  /** Weight of finished work, the running task's share included, 0..1. */
  readonly fraction: number;
  /** Words for the running task. */
  readonly title: string;
  /** E.g. "loss 3.21". */
  readonly note?: string;
}

/** Shortest time between two plain lines in milliseconds. */
const PLAIN_INTERVAL_MS = 30_000;
/** Shortest time between two redraws of the line in milliseconds. */
const DRAW_INTERVAL_MS = 100;

/**
 * Progress on standard error: one line that is redrawn on a terminal, else a plain line at every new
 * task and every half minute. Gives the share done, the rate and the time left.
 */
export class ProgressLine {
  readonly #host: Host;
  readonly #started: number;
  readonly #base: number;
  #lastShown = -Infinity;
  #lastTitle = "";
  #drawn = 0;

  /**
   * @param host Where to write, and the clock.
   * @param base Fraction that was done before, by an interrupted run; it took no time now.
   */
  constructor(host: Host, base = 0) {
    this.#host = host;
    this.#base = base;
    this.#started = host.now();
  }

  /** Shows a new state, if enough time has passed. */
  update(state: ProgressState): void {
    const now = this.#host.now();
    const isTerminal = this.#host.isTerminal();
    const isNewTask = state.title !== this.#lastTitle;
    const interval = isTerminal ? DRAW_INTERVAL_MS : PLAIN_INTERVAL_MS;
    if (!isNewTask && now - this.#lastShown < interval) return;
    this.#lastShown = now;
    this.#lastTitle = state.title;
    const text = progressText(state, now - this.#started, this.#base);
    if (!isTerminal) this.#host.printError(text);
    else {
      const line = text.slice(0, 110);
      this.#host.writeError(`\r${line.padEnd(this.#drawn)}`);
      this.#drawn = line.length;
    }
  }

  /** Prints a whole line without tearing the progress line. */
  log(line: string): void {
    this.clear();
    this.#host.printError(line);
  }

  /** Wipes the progress line. */
  clear(): void {
    if (this.#drawn > 0) this.#host.writeError(`\r${" ".repeat(this.#drawn)}\r`);
    this.#drawn = 0;
  }
}

/** One line: share done, task, rate, time left. */
export function progressText(state: ProgressState, elapsedMs: number, base: number): string {
  const fraction = Math.min(1, Math.max(0, state.fraction));
  const done = fraction - base;
  const parts = [`${(100 * fraction).toFixed(1).padStart(5)}%`, state.title];
  if (state.note) parts.push(state.note);
  if (done > 0.001 && elapsedMs > 1000) {
    const perMinute = 100 * done / (elapsedMs / 60_000);
    const left = elapsedMs * (1 - fraction) / done;
    parts.push(`${perMinute.toPrecision(2)} %/min`, `${durationText(left)} left`);
  }
  return parts.join("  ");
}

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
