import type { Gpu } from "../../engine/mod.ts";
import type { MeasuredCase, MeasureOptions, TaskContext } from "../../harness/contract.ts";
import { measure } from "../../harness/measure.ts";
import type { PreparedCase } from "./adapter.ts";
import { PassClock } from "./pass_clock.ts";

/** One library's case, ready to be timed. */
export interface LibraryCase {
  readonly name: string;
  readonly phase: string;
  readonly device: GPUDevice | null;
  readonly prepared: PreparedCase;
  /** Smallest time the work can take in ns. */
  readonly floorNs?: number;
}

interface Sample {
  readonly ns: number;
  readonly wallNs: number;
  readonly clock: "timestamp-query" | "wall";
}

/** Elements of the kernel that is timed once per block to see drift. */
const CALIBRATOR_ELEMENTS = 2 ** 20;

/**
 * Times libraries against each other in interleaved, randomised blocks, with the suite's own sampling, and by one rule for all: a sample
 * is so many runs and one wait. Its wall time runs from the first call until the host knows that the device is done; its GPU time is the
 * sum over the compute passes, from timestamps written around each. A library without a device has the wall time only.
 */
export async function measureLibraries(
  context: Pick<TaskContext, "gpu" | "seed" | "task" | "signal" | "calibration">,
  cases: readonly LibraryCase[],
  options: MeasureOptions,
): Promise<MeasuredCase[]> {
  const { gpu } = context;
  const timer = new LibraryTimer(gpu);
  try {
    return await measure(
      {
        timer,
        empty: () => void gpu.full([1], 0),
        calibrator: () => void gpu.full([CALIBRATOR_ELEMENTS], 1),
        seed: context.seed(`measure/${context.task.id}`),
        session: 1,
        timestampQuantumNs: context.calibration?.timestampQuantumNs,
        signal: context.signal,
      },
      cases.map((item) => ({
        name: item.name,
        phase: item.phase,
        floorNs: item.floorNs,
        run: () => timer.run(item),
      })),
      options,
    );
  } finally {
    timer.close();
  }
}

/** Times whatever library ran last; what ran is told by `run`. */
class LibraryTimer {
  readonly #clock = new PassClock();
  #last: LibraryCase | undefined;

  constructor(private readonly gpu: Gpu) {}

  run(item: LibraryCase): void {
    this.#last = item;
    item.prepared.run();
  }

  async time(work: () => void): Promise<Sample> {
    this.#last = undefined;
    this.#clock.start();
    const started = performance.now();
    try {
      work();
      await this.#finish();
    } finally {
      this.#clock.stop();
    }
    const wallNs = (performance.now() - started) * 1e6;
    const device = this.#device();
    const ns = device && await this.#clock.busyNs(device);
    return ns ? { ns, wallNs, clock: "timestamp-query" } : { ns: wallNs, wallNs, clock: "wall" };
  }

  scope<T>(work: () => T): T {
    return this.gpu.scope(work);
  }

  close(): void {
    this.#clock.close();
  }

  async #finish(): Promise<void> {
    // Nothing ran but the harness's own dispatch, which is on our device.
    if (this.#last) await this.#last.prepared.finish();
    else await this.gpu.idle();
  }

  #device(): GPUDevice | null {
    return this.#last ? this.#last.device : this.gpu.device;
  }
}
