import type { Host } from "../host.ts";
import type { Standing } from "../runner.ts";

/** Shortest time between two plain lines of one task in milliseconds. */
const PLAIN_INTERVAL_MS = 30_000;
/** Shortest time between two redraws of the line in milliseconds. */
const DRAW_INTERVAL_MS = 100;
/** Longest drawn line; a longer one would wrap and could not be redrawn. */
const DRAW_COLUMNS = 110;

/**
 * Progress on standard error: one line that is redrawn on a terminal, else a plain line at every new
 * task and every half minute. Gives the share done, the rate and the time left.
 */
export class ProgressLine {
  readonly #host: Host;
  #lastShown = -Infinity;
  #lastTitle = "";
  #drawn = 0;

  /** @param host Where to write, and the clock. */
  constructor(host: Host) {
    this.#host = host;
  }

  /** Shows where a run stands, if enough time has passed. */
  update(title: string, standing: Standing, note = ""): void {
    const now = this.#host.now();
    const isTerminal = this.#host.isTerminal();
    const isNewTask = title !== this.#lastTitle;
    const interval = isTerminal ? DRAW_INTERVAL_MS : PLAIN_INTERVAL_MS;
    if (!isNewTask && now - this.#lastShown < interval) return;
    this.#lastShown = now;
    this.#lastTitle = title;
    const text = progressText(title, standing, note);
    if (!isTerminal) return this.#host.printError(text);
    const line = text.slice(0, DRAW_COLUMNS);
    this.#host.writeError(`\r${line.padEnd(this.#drawn)}`);
    this.#drawn = line.length;
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

/** One line: share done, task, note, rate, time left. */
export function progressText(title: string, standing: Standing, note: string): string {
  const parts = [`${(100 * standing.overall).toFixed(1).padStart(5)}%`, title];
  if (note) parts.push(note);
  if (standing.weightPerMinute !== null) {
    parts.push(`${Number(standing.weightPerMinute.toPrecision(2))} units/min`);
  }
  if (standing.remainingMs !== null) parts.push(`${durationText(standing.remainingMs)} left`);
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
