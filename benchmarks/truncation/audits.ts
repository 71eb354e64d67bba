import { padRows } from "../../data/mod.ts";
import { type Tensor, uniformAt } from "../../engine/mod.ts";
import {
  auditDeterminism,
  auditGradients,
  auditParity,
  makeAudit,
} from "../../harness/audits/mod.ts";
import type { TaskContext } from "../../harness/contract.ts";
import { Bert } from "../../models/mod.ts";
import { AdamW, makeSchedule, train } from "../../train/mod.ts";
import { buildDictionary } from "./scorer.ts";

/** Small enough for gradients by differences; odd, so that no tile divides it. Weights large enough for attention to be uneven. */
const SIZES = {
  vocabSize: 37,
  positions: 40,
  width: 24,
  heads: 2,
  layers: 2,
  classes: 5,
  initializerRange: 0.2,
};
const LENGTHS = [37, 21, 30];
/** Largest error of fused against naive, relative to the RMS of each tensor. */
const PARITY_THRESHOLD = 1e-3;

/** Parity, gradients and determinism of the encoder, and blindness of the dictionary to labels. */
export async function runAuditTask(context: TaskContext): Promise<void> {
  const audits = [parity, gradients, determinism, labelBlindness];
  for (const [i, audit] of audits.entries()) {
    context.signal.throwIfAborted();
    await audit(context);
    context.progress((i + 1) / audits.length, audit.name);
  }
}

function build(context: TaskContext, attention: "fused" | "naive", dropout = 0): Bert {
  return new Bert(context.gpu, { ...SIZES, attention, dropout }, context.seed("audit"));
}

function documents(context: TaskContext): Int32Array[] {
  const seed = context.seed("audit tokens");
  return LENGTHS.map((length, stream) =>
    Int32Array.from({ length }, (_, i) => Math.floor(uniformAt(seed, stream, i) * SIZES.vocabSize))
  );
}

async function withBatch<T>(
  context: TaskContext,
  body: (ids: Tensor, keyMask: Tensor, labels: Tensor) => Promise<T>,
): Promise<T> {
  const { gpu } = context;
  const batch = padRows(documents(context), 0);
  const shape = [batch.batch, batch.length];
  const tensors = [
    gpu.tensor(batch.ids, shape).keep(),
    gpu.tensor(batch.mask, shape).keep(),
    gpu.tensor(Int32Array.of(0, 3, 4), [3]).keep(),
  ] as const;
  try {
    return await body(...tensors);
  } finally {
    for (const t of tensors) t.dispose();
  }
}

/** Logits, loss, gradients and attention scores; the naive scores are summed from whole maps on the host. */
async function parity(context: TaskContext): Promise<void> {
  const { gpu } = context;
  const run = (attention: "fused" | "naive") =>
    withBatch(context, async (ids, keyMask, labels) => {
      const model = build(context, attention);
      const values = await lossAndGradients(model, ids, keyMask, labels);
      values.set(
        "logits",
        await gpu.scope(() => gpu.readFloats(model.classLogits(ids, { keyMask }))),
      );
      values.set(
        "attention scores",
        attention === "fused"
          ? await gpu.scope(() => gpu.readFloats(model.attentionScores(ids, { keyMask })))
          : await scoresFromMaps(model, ids, keyMask),
      );
      model.dispose();
      return values;
    });
  const [fused, naive] = [await run("fused"), await run("naive")];
  const pairs = [...naive].map(([name, want]) => ({ name, got: fused.get(name)!, want }));
  context.audit(auditParity({ subject: "bert", pairs, threshold: PARITY_THRESHOLD }));
}

async function scoresFromMaps(model: Bert, ids: Tensor, keyMask: Tensor): Promise<Float32Array> {
  const { gpu } = model;
  const [B, T] = ids.shape;
  const mask = await gpu.read(keyMask);
  const maps: Promise<Float32Array>[] = [];
  model.forEachAttentionMap(
    ids,
    (_, map) => maps.push(gpu.readLater(map).value as Promise<Float32Array>),
    { keyMask },
  );
  gpu.submit();
  const scores = new Float32Array(B * T);
  const { heads, layers } = model.config;
  for (const map of await Promise.all(maps)) {
    for (let row = 0; row < B * heads; row++) {
      const b = Math.floor(row / heads);
      const n = LENGTHS[b];
      const at = (i: number, j: number) => map[(row * T + i) * T + j] * mask[b * T + i];
      for (let j = 0; j < n; j++) {
        let value = -at(j, j);
        for (let i = 0; i < n; i++) value += at(i, j) + at(j, i);
        scores[b * T + j] += value / n / heads / layers;
      }
    }
  }
  return scores;
}

async function lossAndGradients(
  model: Bert,
  ids: Tensor,
  keyMask: Tensor,
  labels: Tensor,
): Promise<Map<string, Float32Array>> {
  const { gpu } = model;
  const reads = gpu.scope(() =>
    gpu.withTape((tape) => {
      const loss = model.classificationLoss(ids, labels, { keyMask });
      const value = gpu.readLater(loss).value;
      tape.backward(loss);
      const rest = [...model.parameters].map((p) =>
        [p.name, gpu.readLater(p.gradient).value] as const
      );
      return new Map([["loss", value], ...rest]);
    })
  );
  gpu.submit();
  const values = new Map<string, Float32Array>();
  for (const [name, value] of reads) values.set(name, await value as Float32Array);
  model.parameters.clearGradients();
  return values;
}

async function gradients(context: TaskContext): Promise<void> {
  const { gpu } = context;
  const model = build(context, "fused");
  const parameters = [...model.parameters];
  const join = (parts: readonly Float32Array[]) => Float32Array.from(parts.flatMap((p) => [...p]));
  const start = join(await Promise.all(parameters.map((p) => gpu.readFloats(p))));
  const set = (flat: Float32Array) => {
    let at = 0;
    for (const p of parameters) gpu.upload(p, flat.slice(at, at += p.size));
  };
  await withBatch(context, async (ids, keyMask, labels) => {
    context.audit(
      await auditGradients({
        subject: "bert",
        parameters: start,
        seed: context.seed("gradients"),
        loss: async (flat) => {
          set(flat);
          const loss = gpu.scope(() =>
            gpu.readFloats(model.classificationLoss(ids, labels, { keyMask }))
          );
          return (await loss)[0];
        },
        gradient: async (flat) => {
          set(flat);
          const values = await lossAndGradients(model, ids, keyMask, labels);
          return join(parameters.map((p) => values.get(p.name)!));
        },
      }),
    );
  });
  model.dispose();
}

/** Three training steps with dropout and the scores after them, twice from the same seed: equal bit for bit. */
async function determinism(context: TaskContext): Promise<void> {
  const { gpu } = context;
  const run = () =>
    withBatch(context, async (ids, keyMask, labels) => {
      const model = build(context, "fused", 0.2);
      const optimizer = new AdamW(model.parameters, { clipNorm: 1 });
      const losses: number[] = [];
      await train({
        gpu,
        optimizer,
        schedule: makeSchedule("constant", { learningRate: 1e-2, steps: 3 }),
        steps: 3,
        loss: (step) => model.classificationLoss(ids, labels, { keyMask, dropoutSeed: step }),
        onStep: ({ loss }) => losses.push(loss),
      });
      const scores = await gpu.scope(() => gpu.readFloats(model.attentionScores(ids, { keyMask })));
      optimizer.dispose();
      model.dispose();
      return [...losses, ...scores];
    });
  context.audit(await auditDeterminism({ subject: "bert", run }));
}

/** The dictionary of the same documents under other labels must be the same; a label planted among the ids must show. */
async function labelBlindness(context: TaskContext): Promise<void> {
  const model = build(context, "fused");
  const labelled = documents(context).map((ids, label) => ({ ids, label }));
  const dictionary = async (items: readonly { ids: Int32Array; label: number }[]) =>
    (await buildDictionary(model, items.map(({ ids }) => ids), {})).table();
  const reference = await dictionary(labelled);
  const distance = (table: ReadonlyMap<number, number>) => {
    const ids = new Set([...reference.keys(), ...table.keys()]);
    return Math.max(
      ...[...ids].map((id) => Math.abs((reference.get(id) ?? 1) - (table.get(id) ?? 1))),
    );
  };
  const relabelled = labelled.map(({ ids, label }) => ({ ids, label: (label + 1) % 3 }));
  const planted = relabelled.map(({ ids, label }) => ({
    ids: Int32Array.of(...ids, label),
    label,
  }));
  const n = reference.size;
  context.audit(makeAudit({
    id: "label-blindness",
    subject: "dictionary",
    evidence: { n, statistic: distance(await dictionary(relabelled)) },
    threshold: 0,
    canaries: [{ n, statistic: distance(await dictionary(planted)) }],
    compared: "dictionary scores of the same documents under other labels, largest difference",
  }));
  model.dispose();
}
