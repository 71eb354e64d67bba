import type { Tensor } from "../../engine/mod.ts";
import { chunksFor, preferredChunk } from "./chunks.ts";
import { leapForward } from "./fused.ts";
import { leapImportanceKernel } from "./kernels/importance.ts";
import { type LeapOptions, leapProblem } from "./options.ts";

/** Options of `leapImportance`. Dropout is not applied. */
export interface LeapImportanceOptions extends Omit<LeapOptions, "dropout"> {
  /**
   * Query whose window is shared out: a token index, or "own" for the share e_i / z_i of each token in the window that ends at the
   * token itself. @default {T - 1}
   */
  readonly query?: number | "own";
}

/**
 * Share of every token in the focused value of a query, per head: e_i / z_t for the tokens i of the window ending at t, 0 outside it.
 * The shares of one query add up to 1 (where keys are averaged to slightly less, z / (z + 1e-5)). Not recorded on the tape.
 *
 * @param packed [B, T, 4, H, d].
 * @returns [B, H, T].
 * @throws {RangeError} If the query is not a token.
 */
export function leapImportance(packed: Tensor, options: LeapImportanceOptions): Tensor {
  const problem = leapProblem(packed, { ...options, dropout: undefined });
  const { gpu, B, T, H, window } = problem;
  const { query = T - 1, keyMask } = options;
  if (query !== "own" && (!Number.isInteger(query) || query < 0 || query >= T)) {
    throw new RangeError(
      `Cannot take LEAP importance: query is ${query}, expected "own" or 0 to ${T - 1}`,
    );
  }
  const importance = gpu.empty([B, H, T]);
  const chunks = chunksFor(T, window, preferredChunk(gpu));
  const made = leapForward(packed, problem, chunks, keyMask);
  const kernel = leapImportanceKernel(problem, query === "own" ? T : query);
  gpu.run(kernel, [made.e, made.z, importance]);
  for (const tensor of Object.values(made)) tensor?.dispose();
  return importance;
}
