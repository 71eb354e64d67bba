import { type Tensor, uniformAt } from "../../engine/mod.ts";
import type { CellInput, MeasuredCase, TaskContext, TimedCase } from "../../harness/contract.ts";
import { classifyError } from "../../harness/runner/classify_error.ts";
import { rooflineFloorNs } from "../../harness/roofline.ts";
import type { LanguageModel } from "../../models/mod.ts";
import type { LeapBenchConfig, Variant } from "./config.ts";
import { buildModel, type Form } from "./models.ts";
import { peakByTag } from "./training.ts";

/** Vocabulary of the timed models: the head's work is the same for all, and small beside the attention at long T. */
const VOCABULARY = 2048;

/** One row of the sweep: a model in one form. */
interface Contestant {
  readonly name: string;
  readonly variant: Variant;
  readonly form: Form;
}

/** LEAP, and GPT-2 against both attention forms: the source compared itself with the slow one only. */
function contestants(config: LeapBenchConfig): Contestant[] {
  return config.variants.flatMap((variant): Contestant[] =>
    variant === "gpt2"
      ? [{ name: "gpt2-fused", variant, form: "fused" }, {
        name: "gpt2-naive",
        variant,
        form: "naive",
      }]
      : [{ name: variant, variant, form: "fused" }]
  );
}

/** Names of the rows a speed task records. */
export function speedVariants(config: LeapBenchConfig): string[] {
  return contestants(config).map((c) => c.name);
}

interface Running {
  readonly contestant: Contestant;
  readonly model?: LanguageModel;
  readonly memory?: { peak: number; byTag: Record<string, number> };
  readonly error?: unknown;
}

/** Times forward and forward + backward of every model at one length, interleaved, with the peak bytes of each alone. */
export async function runSpeedTask(
  context: TaskContext,
  config: LeapBenchConfig,
  length: number,
): Promise<void> {
  const { gpu } = context;
  const speed = config.speed!;
  const { batchSize } = speed;
  const size = batchSize * length;
  const draw = (stream: number) =>
    Int32Array.from(
      { length: size },
      (_, i) => Math.floor(uniformAt(context.seed("tokens"), stream, i) * VOCABULARY),
    );
  const ids = gpu.tensor(draw(0), [batchSize, length]).keep();
  const targets = gpu.tensor(draw(1), [batchSize, length]).keep();
  const running: Running[] = [];
  try {
    for (const contestant of contestants(config)) {
      running.push(await prepare(context, config, contestant, length, ids, targets));
    }
    const cases: TimedCase[] = running.flatMap(({ contestant, model, error }) =>
      model && !error ? timedCases(context, contestant, model, ids, targets) : []
    );
    const measured = await context.measure(cases, {
      maxTimeMs: speed.maxTimeMs,
      minSamples: speed.minSamples,
    });
    for (const one of running) record(context, config, length, one, measured);
  } finally {
    for (const { model } of running) model?.dispose();
    ids.dispose();
    targets.dispose();
  }
}

/** Builds a model and runs it once alone, for the peak of its memory and to learn whether it runs at all. */
async function prepare(
  context: TaskContext,
  config: LeapBenchConfig,
  contestant: Contestant,
  length: number,
  ids: Tensor,
  targets: Tensor,
): Promise<Running> {
  const { gpu } = context;
  if (contestant.form === "naive" && length > config.speed!.naiveLimit) return { contestant };
  gpu.memory.resetPeak();
  const liveBefore = gpu.memory.liveBytes;
  let model: LanguageModel | undefined;
  try {
    const { width, heads } = config.model;
    const sizes = {
      width,
      heads,
      layers: config.speed!.layers,
      vocabSize: VOCABULARY,
      positions: length,
    };
    model = buildModel(gpu, contestant.variant, sizes, context.seed("speed"), contestant.form);
    backward(model, ids, targets);
    await gpu.idle();
    return {
      contestant,
      model,
      memory: { peak: gpu.memory.peakBytes - liveBefore, byTag: peakByTag(context) },
    };
  } catch (error) {
    if ((error as Error).name === "DeviceLostError") throw error;
    return { contestant, model, error };
  } finally {
    gpu.memory.trim();
  }
}

function backward(model: LanguageModel, ids: Tensor, targets: Tensor): void {
  model.gpu.scope(() => model.gpu.withTape((tape) => tape.backward(model.loss(ids, targets))));
  model.parameters.clearGradients();
}

function timedCases(
  context: TaskContext,
  { name }: Contestant,
  model: LanguageModel,
  ids: Tensor,
  targets: Tensor,
): TimedCase[] {
  const { forward, backward: back } = model.flops(ids.dim(0), ids.dim(1));
  const floor = (flops: number) =>
    context.calibration ? rooflineFloorNs({ flops, bytes: null }, context.calibration) : undefined;
  return [
    {
      name: `${name} forward`,
      phase: "forward",
      run: () => void model.loss(ids, targets),
      floorNs: floor(forward),
    },
    {
      name: `${name} forward+backward`,
      phase: "forward+backward",
      run: () => backward(model, ids, targets),
      floorNs: floor(forward + back),
    },
  ];
}

function record(
  context: TaskContext,
  config: LeapBenchConfig,
  length: number,
  { contestant, model, memory, error }: Running,
  measured: readonly MeasuredCase[],
): void {
  const { name, form, variant } = contestant;
  const row: CellInput = {
    variant: name,
    params: { T: length, batchSize: config.speed!.batchSize },
    implementation: {
      form,
      label: variant !== "gpt2" ? "linear" : "dense",
      parameters: model?.parameters.trainableCount ?? null,
    },
  };
  if (!model || error) {
    const reason = error ? classifyError(error) : {
      code: "not-applicable" as const,
      message: `T is over speed.naiveLimit (${config.speed!.naiveLimit})`,
    };
    context.record({ ...row, status: error ? "failed" : "skipped", reasons: [reason] });
    return;
  }
  const own = measured.filter((m) => m.name.startsWith(`${name} `));
  const failure = own.find((m) => m.error)?.error;
  const { forward, backward: back } = model.flops(config.speed!.batchSize, length);
  context.record({
    ...row,
    status: failure ? "failed" : "ok",
    reasons: failure ? [classifyError(failure)] : [],
    timings: own.flatMap((m) => m.timing ?? []),
    memoryBytes: memory,
    cost: { flops: forward + back, bytes: null, phase: "forward+backward" },
  });
}
