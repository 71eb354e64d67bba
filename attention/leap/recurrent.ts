import { type Gpu, ShapeError, showShape, sizeOf, type Tensor } from "../../engine/mod.ts";
import { normedSlots } from "./fused.ts";
import { leapStepKernel, stepEntryVectors } from "./kernels/step.ts";
import { headVectors } from "./kernels/text.ts";
import { checkWindow, leapFeatures, type LeapProblem, type LeapVariant } from "./options.ts";

/** Sizes of a decoding state. */
export interface LeapStateOptions {
  readonly variant: LeapVariant;
  /** Batch size. */
  readonly B: number;
  /** Heads. */
  readonly H: number;
  /** Head width. */
  readonly d: number;
  /** Tokens a query sums over; Infinity is global. */
  readonly window: number;
  /** As in `LeapOptions`. */
  readonly rescale?: number | null;
  /** Most tokens that will be decoded. A window of at least this is global and needs no ring. @default {Infinity} */
  readonly contextLength?: number;
}

/** Bytes of the state of one layer: independent of the number of tokens decoded. */
export function leapStateSize(options: LeapStateOptions): number {
  return sizeOf(stateShape(options)) * 4;
}

/**
 * State of one layer for decoding token by token: the sums s and z (and k where keys are averaged), and for a windowed layer the last
 * `window` weighted terms. The caller disposes it.
 *
 * @example
 * ```ts ignore
 * const state = new LeapState(gpu, { variant: "2022-08", B: 1, H: 4, d: 32, window: 64 });
 * const y = state.step(packed); // packed [1, 1, 4, 4, 32], y [1, 1, 4, 32]
 * ```
 */
export class LeapState {
  /** Number of tokens taken so far. */
  position = 0;
  readonly #problem: LeapProblem;
  readonly #windowed: boolean;
  readonly #contextLength: number;
  readonly #state: Tensor;

  /** @throws {RangeError} If window, rescale or a size is out of range. */
  constructor(private readonly gpu: Gpu, options: LeapStateOptions) {
    const { variant, B, H, d, window, rescale } = options;
    checkWindow(window);
    const features = leapFeatures({ variant, d, rescale });
    this.#windowed = isWindowed(options);
    this.#contextLength = options.contextLength ?? Infinity;
    const kept = this.#windowed ? window : 1;
    this.#problem = { ...features, gpu, B, T: 1, H, d, window: kept, dropout: undefined };
    this.#state = gpu.empty(stateShape(options)).keep();
  }

  /** Bytes of the state. */
  stateSize(): number {
    return this.#state.byteLength;
  }

  /**
   * Takes the next token of every sequence of the batch.
   *
   * @param packed [B, 1, 4, H, d], not recorded on the tape.
   * @returns [B, 1, H, d].
   * @throws {ShapeError} If `packed` has another shape.
   * @throws {RangeError} If the context length is passed.
   */
  step(packed: Tensor): Tensor {
    const { B, H, d } = this.#problem;
    const expected = [B, 1, 4, H, d];
    if (packed.rank !== 5 || packed.shape.some((n, i) => n !== expected[i])) {
      throw new ShapeError(
        `Cannot decode with LEAP: packed is ${showShape(packed.shape)}, expected ${
          showShape(expected)
        }`,
      );
    }
    if (this.position >= this.#contextLength) {
      throw new RangeError(
        `Cannot decode with LEAP: position is ${this.position}, expected less than the context length ${this.#contextLength}; ` +
          `reset the state`,
      );
    }
    const y = this.gpu.empty([B, 1, H, d]);
    const kernel = leapStepKernel(this.#problem, this.#windowed, this.position);
    const slots = normedSlots(packed, this.#problem);
    this.gpu.run(kernel, [slots, this.#state, y]);
    if (slots !== packed) slots.dispose();
    this.position++;
    return y;
  }

  /** Starts a new sequence; the old contents are never read again. */
  reset(): void {
    this.position = 0;
  }

  dispose(): void {
    this.#state.dispose();
  }
}

function isWindowed({ window, contextLength = Infinity }: LeapStateOptions): boolean {
  return window < contextLength;
}

/** [B H, entries, floats]: the ring and the prefix. */
function stateShape(options: LeapStateOptions): readonly number[] {
  const { B, H, d, window } = options;
  const vectors = stepEntryVectors(d, leapFeatures(options).hasKey);
  const entries = (isWindowed(options) ? window : 0) + 1;
  return [B * H, entries, vectors * headVectors(d).width];
}
