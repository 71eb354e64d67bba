import type { PeerCase } from "./cases.ts";
import type { CaseInputs } from "./inputs.ts";
import type { LibraryName } from "./packages.ts";

/** Named results of one run, row-major on the host. */
export type CaseOutputs = Readonly<Record<string, Float32Array>>;

/**
 * A case as one library runs it. Inputs are resident before the first `run`; nothing is uploaded or read back by `run` and `finish`.
 */
export interface PreparedCase {
  /** Issues the work once, in the library's own way, and drops the result of the run before. */
  run(): void;
  /** Sends what is still pending and waits until the device has done it. */
  finish(): Promise<void>;
  /**
   * Results of a fresh run, read back: attention's in the layout [T, H, d], the training step's as the `losses` of its first steps.
   */
  outputs(): Promise<CaseOutputs>;
  /** Remarks that belong in the row, such as a bug worked around. */
  readonly notes: readonly string[];
  dispose(): void;
}

/** One library, opened. */
export interface LibraryAdapter {
  readonly name: LibraryName;
  /** Package name and version, as a row states them. */
  readonly package: string;
  readonly version: string;
  /** Backend in the library's own words. */
  readonly backend: string;
  /** Its device; null where it runs on the CPU. */
  readonly device: GPUDevice | null;
  /**
   * Builds a case.
   *
   * @returns null where the library does not offer the operation.
   */
  prepare(
    spec: PeerCase,
    inputs: CaseInputs,
    options: PrepareOptions,
  ): Promise<PreparedCase | null>;
}

/** What a case needs besides its inputs. */
export interface PrepareOptions {
  /** Seed of initial weights. */
  readonly seed: number;
  /** Steps whose losses a training case reports. */
  readonly lossSteps: number;
}
