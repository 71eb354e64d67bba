/**
 * What a benchmark implements and what it is given.
 *
 * A benchmark splits its work into tasks (a pure plan), runs one task at a time and records rows
 * (cells). Everything else (resume, sharding, statistics, files, report) is the harness's work.
 * Everything here is runtime-neutral: the same module runs under Deno and in a browser tab.
 */
import type { z } from "zod";
import type { Gpu } from "../engine/mod.ts";
import type { TuningSizes } from "../models/mod.ts";
import type { Host } from "./host.ts";
import type {
  Attachment,
  Audit,
  Calibration,
  Cell,
  CellInput,
  Comparison,
  DataInput,
  PublishedFigure,
  ReportInput,
  RunBody,
  SourceInput,
  Task,
  Timing,
} from "./result_schema.ts";

export type {
  Attachment,
  Audit,
  Calibration,
  Cell,
  CellInput,
  Comparison,
  DataInput,
  PublishedFigure,
  ReportInput,
  RunBody,
  SourceInput,
  Task,
  Timing,
};

/** Names of the presets every benchmark offers. */
export type PresetName = "smoke" | "small" | "paper";

/** A benchmark module: `benchmarks/<name>/bench.ts` exports one, the registry lists it. */
export interface Benchmark<C extends object> {
  /** Name on the command line, snake_case or kebab-case, equal to its folder. */
  readonly name: string;
  /** Version of the method. Raise it whenever older figures stop being comparable. */
  readonly version: number;
  readonly title: string;
  /** The question the report answers, one sentence. */
  readonly question: string;
  readonly source: SourceInput;
  /** Checks and completes a configuration; `--set key=value` goes through it. */
  readonly configSchema: z.ZodType<C>;
  readonly presets: Record<PresetName, C>;
  /** The plan. Pure and deterministic: resume, `--shard i/n` and the time left come from it. */
  tasks(config: C): Task[];
  /** Peak GPU bytes the whole configuration needs, asked before anything starts. */
  memoryEstimate?(config: C): number;
  /** What to tune kernels for before the run, where tuning is on (see `tune_device.ts`). */
  tuning?(config: C): TuningSizes;
  /**
   * Artifacts with trained weights to keep after a finished run, one per variant; `export` turns them into a folder that other
   * libraries load. What a task did not write is passed over.
   */
  checkpoints?(config: C): readonly { readonly variant: string; readonly artifact: string }[];
  /** Runs one task. A throw becomes a failed row; the run goes on. */
  run(context: TaskContext, task: Task, config: C): Promise<void>;
  /** Derives comparisons from recorded cells. Pure: recomputed from the file when checked. */
  compare?(cells: readonly Cell[], config: C): Comparison[];
  /** The benchmark's part of the report: headline, tables, charts. Pure, from the result alone. */
  report(result: RunBody): ReportInput;
  readonly published?: readonly PublishedFigure[];
}

/** What a task is given. */
export interface TaskContext {
  readonly gpu: Gpu;
  readonly host: Host;
  readonly task: Task;
  /** The roof measured before the tasks; null where calibration was switched off. */
  readonly calibration: Calibration | null;
  /** Aborted on Ctrl-C or time-out. Long loops call `signal.throwIfAborted()` between steps. */
  readonly signal: AbortSignal;
  /**
   * Seed of a named stream, 32 bits, a function of (base seed, benchmark, stream) only: two tasks
   * that ask for `"data/0"` get the same seed, so variants see the same data. It is recorded.
   */
  seed(stream: string): number;
  log(line: string): void;
  /** Fraction of this task that is done, 0..1, with an optional note such as "loss 3.21". */
  progress(fraction: number, note?: string): void;
  /** Records a row. Call once per variant and parameter point; failed rows are recorded too. */
  record(cell: CellInput): void;
  /** Records an audit of the run (audits of one row may travel in the cell instead). */
  audit(audit: Audit): void;
  /** Records where data came from. Recording the same id and split again adds to `reads`. */
  data(record: DataInput): void;
  /** Files that survive interruption: checkpoints, trained weights shared between tasks. */
  readonly artifacts: ArtifactStore;
  /** Writes a side file that is published beside the result, e.g. token importances as JSON. */
  attach(name: string, bytes: Uint8Array, mediaType: string): Promise<Attachment>;
  /** Times cases against each other in interleaved, randomised blocks. */
  measure(cases: readonly TimedCase[], options?: MeasureOptions): Promise<MeasuredCase[]>;
}

/** Named byte strings of one run (same benchmark, configuration, suite version and adapter). */
export interface ArtifactStore {
  read(name: string): Promise<Uint8Array | undefined>;
  /** Atomic: a reader sees the old bytes or the new ones. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
}

/** One thing to time. Inputs are built before, outside; `run` only issues the work. */
export interface TimedCase {
  /** Unique among the cases measured together, usually the variant (plus the phase). */
  readonly name: string;
  /** What is timed: `forward`, `forward+backward`, `step`, `decode`. */
  readonly phase: string;
  /** GPU work, issued synchronously; the harness times the submission and frees all it makes. */
  run?(): unknown;
  /** For work outside the engine (another library): must return when the work is finished. */
  runAsync?(): Promise<void>;
  /** Smallest time the work can take in ns (see `rooflineFloorNs`); a sample below is implausible. */
  readonly floorNs?: number;
}

/** Sampling policy; every default is a named constant of `measure.ts`. */
export interface MeasureOptions {
  readonly minSamples?: number;
  readonly maxSamples?: number;
  /** Wall time after which sampling stops, per case, in milliseconds. */
  readonly maxTimeMs?: number;
  /** Stop when the interval of the median is narrower than this share of the median. */
  readonly relativeWidth?: number;
  /** Shortest sample wanted in ms: shorter work is repeated inside one sample (`number`). */
  readonly minSampleMs?: number;
}

/** A timed case; `error` is set and `timing` is null where it threw (the others go on). */
export interface MeasuredCase {
  readonly name: string;
  readonly timing: Timing | null;
  readonly warmupNs: number;
  readonly timedNs: number;
  readonly error: Error | null;
}
