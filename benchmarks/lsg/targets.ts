import type { Comparison, RunBody } from "../../harness/contract.ts";

/** Length at which the speed targets are set. */
export const TARGET_LENGTH = 4096;
/** The variant the targets are set for. */
export const TARGET_VARIANT = "lsg-128-128-norm-2";

/** A target and what was measured. */
export interface Target {
  readonly text: string;
  readonly wanted: string;
  readonly measured: string | null;
  /** Undefined where it was not measured. */
  readonly met?: boolean;
}

/** The targets of the suite: set before the kernels were written, for software adapters on two cores. */
export function targets({ comparisons }: Pick<RunBody, "comparisons">): Target[] {
  const find = <K extends Comparison["kind"]>(kind: K, id: string) =>
    comparisons.find((c) => c.kind === kind && c.id === id) as
      | Extract<Comparison, { kind: K }>
      | undefined;
  const pair = find("pair", `attention-${TARGET_VARIANT}-${TARGET_LENGTH}`);
  const speedup = pair?.estimate ? 1 / pair.estimate : undefined;
  const peak = find("fit", `growth-peak-attention-${TARGET_VARIANT}`)?.exponent ?? undefined;
  const share = find("derived", `selection-${TARGET_VARIANT}-${TARGET_LENGTH}`)?.value ?? undefined;
  const target = (
    text: string,
    wanted: string,
    value: number | undefined,
    met: (value: number) => boolean,
    show: (value: number) => string,
  ): Target =>
    value === undefined
      ? { text, wanted, measured: null }
      : { text, wanted, measured: show(value), met: met(value) };
  return [
    target(
      `Attention forward + backward at T ${TARGET_LENGTH} against our own fused full attention, one interleaved run`,
      "at least 4 times faster",
      speedup,
      (value) => value >= 4,
      (value) => `${value.toFixed(2)} times`,
    ),
    target(
      "Growth of the attention's peak bytes with T",
      "exponent at most 1.1",
      peak,
      (value) => value <= 1.1,
      (value) => value.toFixed(3),
    ),
    target(
      `Choosing the sparse keys at T ${TARGET_LENGTH}, share of the attention's time`,
      "at most 15 %",
      share,
      (value) => value <= 0.15,
      (value) => `${(100 * value).toFixed(1)} %`,
    ),
  ];
}
