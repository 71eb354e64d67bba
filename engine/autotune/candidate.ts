import type { AdapterInfo } from "../adapter_info.ts";
import type { Gpu } from "../gpu.ts";
import type { Tensor } from "../tensor.ts";

/** One way to carry out an operation. */
export interface Candidate<Problem> {
  /** Short and stable; it is what choices and files hold. */
  readonly name: string;
  /** Records the dispatches (one or several) that solve `problem` on `tensors`, as made by `prepare`. */
  readonly dispatch: (gpu: Gpu, problem: Problem, tensors: readonly Tensor[]) => void;
  /** Left out of tuning, for references; it can still be pinned. @default {false} */
  readonly reference?: boolean;
}

/** Tensors to try candidates on. */
export interface Workspace {
  readonly tensors: readonly Tensor[];
  /** The one among them whose contents are compared. */
  readonly output: Tensor;
}

/** An operation that has several implementations: what an operation's module hands to the tuner. */
export interface Tunable<Problem, C extends Candidate<Problem> = Candidate<Problem>> {
  /** Name of the operation, first word of its choice keys. */
  readonly name: string;
  readonly candidates: readonly C[];
  /** Name of the candidate used when nothing was chosen. */
  readonly defaultFor: (info: AdapterInfo, problem: Problem) => string;
  /** Class of problems that share a choice, such as `NT m10 n7 k9`. */
  readonly bucketOf: (problem: Problem) => string;
  /** Inputs with values of order one, and an output, for timing; freed by the tuner. */
  readonly prepare: (gpu: Gpu, problem: Problem) => Workspace;
  /** Text of all candidates' kernels; a change makes stored choices stale. */
  readonly source: () => string;
  /** Largest relative root mean square difference of a candidate's output from the default's. @default {1e-4} */
  readonly tolerance?: number;
}

/** log2 of a size rounded down: sizes within a factor of two share a choice. */
export function log2Bucket(n: number): number {
  return 31 - Math.clz32(Math.max(1, n));
}
