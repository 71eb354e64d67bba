/** The journal of a run: one JSON line per finished piece, so that an interruption loses one task. */
import { canonicalJson } from "../canonical_json.ts";
import { type Host, joinPath } from "../host.ts";
import type { Attachment, Audit, Cell, Reason } from "../schema/cell.ts";
import type { Calibration } from "../schema/machine.ts";
import type { DataRecord, Session } from "../result_schema.ts";

/** Raise when the lines change: older journals are then started over, not guessed. */
export const JOURNAL_VERSION = 1;

export interface RunLine {
  readonly type: "run";
  readonly journalVersion: number;
  readonly runId: string;
  readonly startedAt: string;
}

export interface TaskLine {
  readonly type: "task";
  readonly task: string;
  readonly session: number;
  readonly status: "ok" | "failed";
  readonly endedAt: string;
  readonly durationNs: number;
  readonly reasons: readonly Reason[];
  readonly cells: readonly Cell[];
  readonly audits: readonly Audit[];
  readonly data: readonly DataRecord[];
  readonly seeds: Readonly<Record<string, number>>;
  readonly attachments: readonly Attachment[];
}

type Line =
  | RunLine
  | TaskLine
  | { readonly type: "session"; readonly session: number; readonly startedAt: string }
  | {
    readonly type: "session-end";
    readonly session: number;
    readonly endedAt: string;
    readonly end: Session["end"];
  }
  | { readonly type: "calibration"; readonly calibration: Calibration };

/** Everything a journal holds, later lines over earlier ones. */
export class Journal {
  readonly #host: Host;
  readonly #lines: Line[];
  readonly folder: string;

  private constructor(host: Host, folder: string, lines: Line[]) {
    this.#host = host;
    this.folder = folder;
    this.#lines = lines;
  }

  /**
   * Opens the journal in `folder`, or starts one. A line cut off by a kill is dropped, and the file
   * is rewritten without it before anything is appended.
   */
  static async open(host: Host, folder: string, fresh: boolean, head: RunLine): Promise<Journal> {
    const path = joinPath(folder, "journal.jsonl");
    if (fresh) await host.remove(folder);
    const text = await host.readText(path);
    const lines = parseLines(text ?? "");
    const first = lines[0];
    if (first?.type === "run" && first.journalVersion === JOURNAL_VERSION) {
      const clean = lines.map((line) => canonicalJson(line) + "\n").join("");
      if (clean !== text) await host.writeFileAtomic(path, clean);
      return new Journal(host, folder, lines);
    }
    await host.remove(folder);
    await host.writeFileAtomic(path, canonicalJson(head) + "\n");
    return new Journal(host, folder, [head]);
  }

  get head(): RunLine {
    return this.#lines[0] as RunLine;
  }

  /** Appends one line; it is on its way to the disk when this returns. */
  async append(line: Line): Promise<void> {
    this.#lines.push(line);
    await this.#host.appendFile(
      joinPath(this.folder, "journal.jsonl"),
      canonicalJson(line) + "\n",
    );
  }

  /** Last line of each task that was finished, ok or failed. */
  get tasks(): Map<string, TaskLine> {
    const tasks = new Map<string, TaskLine>();
    for (const line of this.#lines) if (line.type === "task") tasks.set(line.task, line);
    return tasks;
  }

  get calibrations(): Calibration[] {
    return this.#lines.flatMap((line) => line.type === "calibration" ? [line.calibration] : []);
  }

  /** Sessions in order; one without an end was killed, at the latest sign of life. */
  get sessions(): Session[] {
    const sessions = new Map<number, Session>();
    for (const line of this.#lines) {
      if (line.type === "session") {
        const { session, startedAt } = line;
        sessions.set(session, { session, startedAt, endedAt: startedAt, tasks: 0, end: "killed" });
      } else if (line.type === "task" || line.type === "session-end") {
        const known = sessions.get(line.session);
        if (!known) continue;
        known.endedAt = line.endedAt;
        if (line.type === "task") known.tasks++;
        else known.end = line.end;
      }
    }
    return [...sessions.values()];
  }
}

function parseLines(text: string): Line[] {
  const lines: Line[] = [];
  for (const row of text.split("\n")) {
    if (row === "") continue;
    try {
      lines.push(JSON.parse(row) as Line);
    } catch {
      // A torn line: its task is simply done again.
    }
  }
  return lines;
}
