import { type Tensor, uniformAt } from "../../engine/mod.ts";
import {
  auditCausality,
  auditDeterminism,
  auditGradients,
  auditParity,
  joinArrays,
  largestDifference,
  makeAudit,
  relativeError,
} from "../../harness/audits/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import type { LanguageModel } from "../../models/mod.ts";
import { AdamW, makeSchedule, train } from "../../train/mod.ts";
import type { Variant } from "./config.ts";
import { buildModel, type Form } from "./models.ts";

/** The audited models are small, so that every position can be tried; odd sizes, so that no tile divides them. */
const SIZES = { vocabSize: 61, positions: 40, width: 24, heads: 2, layers: 2, windows: [5, 40] };
const BATCH = 2;
const LENGTH = 37;

/** Largest error of fused against naive, relative to the RMS of each tensor. */
const PARITY_THRESHOLD = 1e-3;
/** Largest distance of token-by-token logits from the parallel ones (the claim of the specification). */
const DECODING_THRESHOLD = 1e-4;

/** Runs every audit of one variant. */
export async function runAuditTask(context: TaskContext, variant: Variant): Promise<void> {
  // A speed row is gated by the audit of the same name; GPT-2 has two.
  const subjects = variant === "gpt2" ? ["gpt2-fused", "gpt2-naive"] : [variant];
  const audits = [causality, parity, gradients, determinism, decoding];
  for (const [i, audit] of audits.entries()) {
    context.signal.throwIfAborted();
    await audit(context, variant, subjects);
    context.progress((i + 1) / audits.length, audit.name);
  }
}

function build(context: TaskContext, variant: Variant, form: Form = "fused"): LanguageModel {
  return buildModel(context.gpu, variant, SIZES, context.seed("audit"), form);
}

function tokens(context: TaskContext, stream: number): Int32Array {
  const seed = context.seed("audit tokens");
  return Int32Array.from(
    { length: BATCH * LENGTH },
    (_, i) => Math.floor(uniformAt(seed, stream, i) * SIZES.vocabSize),
  );
}

/** Runs `body` with ids and targets on the GPU. */
async function withBatch<T>(
  context: TaskContext,
  body: (ids: Tensor, targets: Tensor) => Promise<T>,
): Promise<T> {
  const ids = context.gpu.tensor(tokens(context, 0), [BATCH, LENGTH]).keep();
  const targets = context.gpu.tensor(tokens(context, 1), [BATCH, LENGTH]).keep();
  try {
    return await body(ids, targets);
  } finally {
    ids.dispose();
    targets.dispose();
  }
}

async function causality(
  context: TaskContext,
  variant: Variant,
  subjects: string[],
): Promise<void> {
  const { gpu } = context;
  for (const subject of subjects) {
    const model = build(context, variant, subject.endsWith("naive") ? "naive" : "fused");
    const ids = gpu.tensor(new Int32Array(BATCH * LENGTH), [BATCH, LENGTH]).keep();
    context.audit(
      await auditCausality({
        subject,
        batch: BATCH,
        length: LENGTH,
        vocabulary: SIZES.vocabSize,
        seed: context.seed("causality"),
        forward: (changed) => {
          gpu.upload(ids, changed);
          return gpu.scope(() => gpu.readFloats(model.logits(ids)));
        },
      }),
    );
    ids.dispose();
    model.dispose();
  }
}

/** Logits, loss and the gradient of every parameter, fused against naive. */
async function parity(context: TaskContext, variant: Variant, subjects: string[]): Promise<void> {
  const run = async (form: Form) => {
    const model = build(context, variant, form);
    const values = await withBatch(
      context,
      (ids, targets) => lossAndGradients(model, ids, targets),
    );
    model.dispose();
    return values;
  };
  const [fused, naive] = [await run("fused"), await run("naive")];
  const pairs = [...naive].map(([name, want]) => ({ name, got: fused.get(name)!, want }));
  for (const subject of subjects) {
    context.audit(auditParity({ subject, pairs, threshold: PARITY_THRESHOLD }));
  }
}

async function lossAndGradients(
  model: LanguageModel,
  ids: Tensor,
  targets: Tensor,
): Promise<Map<string, Float32Array>> {
  const { gpu } = model;
  const reads = gpu.scope(() => {
    const logits = gpu.readLater(model.logits(ids)).value;
    return gpu.withTape((tape) => {
      const loss = model.loss(ids, targets);
      const value = gpu.readLater(loss).value;
      tape.backward(loss);
      const gradients = [...model.parameters].map((p) =>
        [p.name, gpu.readLater(p.gradient).value] as const
      );
      return new Map([["logits", logits], ["loss", value], ...gradients]);
    });
  });
  gpu.submit();
  const values = new Map<string, Float32Array>();
  for (const [name, value] of reads) values.set(name, await value as Float32Array);
  model.parameters.clearGradients();
  return values;
}

async function gradients(context: TaskContext, variant: Variant): Promise<void> {
  const { gpu } = context;
  const model = build(context, variant);
  const parameters = [...model.parameters];
  const start = await Promise.all(parameters.map((p) => gpu.readFloats(p)));
  const set = (flat: Float32Array) => {
    let at = 0;
    for (const parameter of parameters) gpu.upload(parameter, flat.slice(at, at += parameter.size));
  };
  await withBatch(context, async (ids, targets) => {
    context.audit(
      await auditGradients({
        subject: variant,
        parameters: joinArrays(start),
        seed: context.seed("gradients"),
        loss: async (flat) => {
          set(flat);
          return (await gpu.scope(() => gpu.readFloats(model.loss(ids, targets))))[0];
        },
        gradient: async (flat) => {
          set(flat);
          const values = await lossAndGradients(model, ids, targets);
          return joinArrays(parameters.map((p) => values.get(p.name)!));
        },
      }),
    );
  });
  model.dispose();
}

/** Three training steps with dropout, twice from the same seed: losses and logits must agree bit for bit. */
async function determinism(context: TaskContext, variant: Variant): Promise<void> {
  const { gpu } = context;
  const run = () =>
    withBatch(context, async (ids, targets) => {
      const model = buildModel(gpu, variant, { ...SIZES, dropout: 0.2 }, context.seed("audit"));
      const optimizer = new AdamW(model.parameters, { clipNorm: 1 });
      const losses: number[] = [];
      await train({
        gpu,
        optimizer,
        schedule: makeSchedule("constant", { learningRate: 1e-2, steps: 3 }),
        steps: 3,
        loss: (step) => model.loss(ids, targets, { dropoutSeed: step }),
        onStep: ({ loss }) => losses.push(loss),
      });
      const logits = await gpu.scope(() => gpu.readFloats(model.logits(ids)));
      optimizer.dispose();
      model.dispose();
      return [...losses, ...logits];
    });
  context.audit(await auditDeterminism({ subject: variant, run }));
}

/** Token-by-token logits against the parallel forward pass. */
async function decoding(context: TaskContext, variant: Variant): Promise<void> {
  const { gpu } = context;
  const model = build(context, variant);
  const decoder = model.decoder(BATCH);
  await withBatch(context, async (ids) => {
    const want = await gpu.scope(() => gpu.readFloats(model.logits(ids)));
    const host = tokens(context, 0);
    const got = new Float32Array(want.length);
    const width = SIZES.vocabSize;
    for (let t = 0; t < LENGTH; t++) {
      const column = Int32Array.from({ length: BATCH }, (_, b) => host[b * LENGTH + t]);
      const logits = await gpu.scope(() =>
        gpu.readFloats(decoder.step(gpu.tensor(column, [BATCH])))
      );
      for (let b = 0; b < BATCH; b++) {
        got.set(logits.subarray(b * width, (b + 1) * width), (b * LENGTH + t) * width);
      }
    }
    // A decoder one position behind is the fault this audit is there to find.
    const late = new Float32Array(got.length);
    late.set(got.subarray(0, got.length - width), width);
    context.audit(makeAudit({
      id: "decoding",
      subject: variant,
      evidence: { n: want.length, statistic: largestDifference(got, want) },
      threshold: DECODING_THRESHOLD,
      canaries: [{ n: want.length, statistic: largestDifference(late, want) }],
      compared:
        `token-by-token logits against the parallel form over ${LENGTH} tokens, largest difference ` +
        `(relative to the RMS: ${relativeError(got, want).statistic.toExponential(1)})`,
    }));
  });
  decoder.dispose();
  model.dispose();
}
