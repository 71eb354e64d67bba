import type { CellInput, TaskContext, TimedCase } from "../../harness/contract.ts";
import { rooflineFloorNs } from "../../harness/roofline.ts";
import { classifyError } from "../../harness/runner/classify_error.ts";

/** Work to be timed, with everything it needs in place. */
export interface Work {
  readonly run: () => void;
  readonly flops: number | null;
  /** Peak bytes that count for this work. */
  readonly peak: number;
  readonly parameters?: number;
  readonly metrics?: CellInput["metrics"];
  readonly dispose: () => void;
}

/** One row to measure: work, or the reason why there is none. */
export interface Contestant {
  readonly row: CellInput;
  /** Distinguishes rows of one variant in a measurement. */
  readonly name: string;
  /** What is timed. */
  readonly phase: string;
  readonly work?: Work;
  readonly error?: unknown;
}

/** Builds a contestant; what throws becomes a failed row, and the others go on. */
export async function prepareContestant(
  { gpu }: TaskContext,
  row: CellInput,
  { name, phase }: { name: string; phase: string },
  build: () => Promise<Work>,
): Promise<Contestant> {
  // A buffer kept from earlier work may be larger than what is asked for, and would count whole.
  await gpu.idle();
  gpu.memory.trim();
  try {
    return { row, name, phase, work: await build() };
  } catch (error) {
    if ((error as Error).name === "DeviceLostError") throw error;
    return { row, name, phase, error };
  }
}

/** Times all work in interleaved blocks and records every row. */
export async function timeAndRecord(
  context: TaskContext,
  contestants: readonly Contestant[],
  { maxTimeMs, minSamples }: { maxTimeMs: number; minSamples: number },
): Promise<void> {
  const { calibration } = context;
  const cases = contestants.flatMap(({ name, phase, work }): TimedCase[] =>
    work
      ? [{
        ...{ name, phase, run: work.run },
        floorNs: calibration && work.flops !== null
          ? rooflineFloorNs({ flops: work.flops, bytes: null }, calibration)
          : undefined,
      }]
      : []
  );
  const measured = await context.measure(cases, { maxTimeMs, minSamples });
  for (const { row, name, phase, work, error } of contestants) {
    const result = measured.find((m) => m.name === name);
    const failure = error ?? result?.error;
    if (!work || failure) {
      context.record({ ...row, status: "failed", reasons: [classifyError(failure)] });
      continue;
    }
    const ns = result?.timing?.stats?.medianNs;
    context.record({
      ...row,
      implementation: { form: "none", ...row.implementation, parameters: work.parameters ?? null },
      timings: result?.timing ? [result.timing] : [],
      memoryBytes: { peak: work.peak },
      cost: { flops: work.flops, bytes: null, phase },
      metrics: [
        ...(work.metrics ?? []),
        { metric: `${phase}-time`, unit: "s", value: ns ? ns / 1e9 : null, better: "lower" },
        { metric: "peak-memory", unit: "GB", value: work.peak / 1e9, better: "lower" },
      ],
    });
  }
}

/** A row that is not tried, and why. */
export function recordSkipped(context: TaskContext, row: CellInput, message: string): void {
  context.record({ ...row, status: "skipped", reasons: [{ code: "not-applicable", message }] });
}
