import type { Gpu, HostArray, Shape, Tensor } from "../engine/mod.ts";
import type { AdamW } from "./adamw.ts";
import type { Schedule } from "./schedule.ts";

/** What one finished step reports. */
export interface StepReport {
  /** Counted from 0. */
  readonly step: number;
  /** Mean loss of the step's batches, in nats. */
  readonly loss: number;
  readonly learningRate: number;
  /** Global norm of the gradients before clipping. */
  readonly gradientNorm: number;
}

/** Gives the batches of a step a fixed place on the GPU, so that uploading creates nothing and keeps one submission a step. */
export class StepInputs {
  readonly #tensors = new Map<string, Tensor>();

  constructor(private readonly gpu: Gpu) {}

  /** Uploads `data` under a name that must differ between the uses of one step. */
  upload(name: string, data: HostArray, shape: Shape): Tensor {
    const key = `${name} ${shape.join()}`;
    let tensor = this.#tensors.get(key);
    if (tensor) this.gpu.upload(tensor, data);
    else this.#tensors.set(key, tensor = this.gpu.tensor(data, shape).keep());
    return tensor;
  }

  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }
}

/** Options of `train`. */
export interface TrainOptions {
  readonly gpu: Gpu;
  readonly optimizer: AdamW;
  readonly schedule: Schedule;
  /** First step; greater than 0 when resuming. */
  readonly firstStep?: number;
  /** Step to stop before. */
  readonly steps: number;
  /** Batches whose gradients are averaged in one step. @default {1} */
  readonly accumulate?: number;
  /**
   * Mean loss of one batch, recorded on the tape.
   *
   * @param step Step, counted from 0.
   * @param part Batch within the step, 0 to accumulate - 1.
   * @param inputs Place for the batch's arrays.
   */
  readonly loss: (step: number, part: number, inputs: StepInputs) => Tensor;
  /** Called in order for every step, up to two steps late. */
  readonly onStep?: (report: StepReport) => void;
  /** Called after a step was submitted and reported; may read, evaluate and save. */
  readonly afterStep?: (step: number) => Promise<void> | void;
  /** True for the steps after which `afterStep` has something to do. */
  readonly pauseAfter?: (step: number) => boolean;
  readonly signal?: AbortSignal;
}

/** Steps in flight before the host waits for the oldest one's loss: the GPU never idles while the host encodes. */
const IN_FLIGHT = 2;

/** A training loss that is no longer a number: the run cannot be continued. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
  constructor(readonly step: number, readonly loss: number) {
    super(
      `Cannot continue training: the loss is ${loss} at step ${step}; lower the learning rate or check the data`,
    );
  }
}

/**
 * Runs optimizer steps. Each is one submission without a wait: its loss is read up to two steps later.
 *
 * @returns The number of the step after the last one done; less than `steps` if the signal aborted.
 */
export async function train(options: TrainOptions): Promise<number> {
  const { gpu, optimizer, schedule, steps, accumulate = 1, signal } = options;
  const inputs = new StepInputs(gpu);
  const pending: Promise<StepReport>[] = [];
  const settle = async (limit: number) => {
    while (pending.length > limit) {
      const report = await pending.shift()!;
      options.onStep?.(report);
      if (!Number.isFinite(report.loss)) throw new DivergedError(report.step, report.loss);
    }
  };
  let step = options.firstStep ?? 0;
  try {
    for (; step < steps && !signal?.aborted; step++) {
      const learningRate = schedule(step);
      const reads = gpu.scope(() => {
        const losses = [];
        for (let part = 0; part < accumulate; part++) {
          losses.push(gpu.scope(() =>
            gpu.withTape((tape) => {
              const loss = options.loss(step, part, inputs);
              const later = gpu.readLater(loss);
              tape.backward(loss);
              return later.value;
            })
          ));
        }
        optimizer.step(learningRate, 1 / accumulate);
        return { losses, control: gpu.readLater(optimizer.control).value };
      });
      gpu.submit();
      pending.push(reportOf(step, learningRate, reads.losses, reads.control));
      const pause = options.pauseAfter?.(step) ?? false;
      await settle(pause ? 0 : IN_FLIGHT);
      if (pause) await options.afterStep?.(step);
    }
    await settle(0);
  } finally {
    // A failed step may leave reads in flight; their own errors add nothing.
    await Promise.allSettled(pending);
    inputs.dispose();
  }
  return step;
}

async function reportOf(
  step: number,
  learningRate: number,
  losses: Promise<HostArray>[],
  control: Promise<HostArray>,
): Promise<StepReport> {
  const values = await Promise.all(losses);
  const loss = values.reduce((sum, value) => sum + value[0], 0) / values.length;
  return { step, loss, learningRate, gradientNorm: (await control)[1] };
}
