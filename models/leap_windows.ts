import type { LeapVariant } from "../attention/mod.ts";
import { ConfigError } from "./model_error.ts";

/** What the windows of a LEAP model depend on. */
export interface LeapWindowOptions {
  readonly variant: LeapVariant;
  readonly layers: number;
  readonly positions: number;
  /** False makes every layer global. */
  readonly localAttention: boolean;
  /** Explicit windows, one a layer. */
  readonly windows?: readonly number[];
}

/**
 * Window of each layer. Defaults: `2022-08` has 4 * 2^i in layer i and a global last layer; the later revisions repeat
 * [global, 4, 8, 16] and start global.
 *
 * @throws {ConfigError} If windows are given without local attention, or their number or values are wrong.
 */
export function leapWindows(
  { variant, layers, positions, localAttention, windows }: LeapWindowOptions,
): number[] {
  if (!localAttention) {
    if (windows) {
      throw new ConfigError(
        `Cannot build LEAP: windows is [${windows}] while localAttention is false; leave one of them out`,
      );
    }
    return new Array(layers).fill(positions);
  }
  if (!windows) {
    return Array.from({ length: layers }, (_, i) => {
      if (variant !== "2022-08") return [positions, 4, 8, 16][i % 4];
      return i === layers - 1 ? positions : Math.min(4 * 2 ** i, positions);
    });
  }
  if (windows.length !== layers) {
    throw new ConfigError(
      `Cannot build LEAP: windows has ${windows.length} entries [${windows}], expected one for each of ${layers} layers`,
    );
  }
  const wrong = windows.find((w) => !Number.isInteger(w) || w < 1);
  if (wrong !== undefined) {
    throw new ConfigError(
      `Cannot build LEAP: a window is ${wrong}, expected an integer of at least 1`,
    );
  }
  return [...windows];
}
