import type { SparsityType } from "../../attention/mod.ts";
import type { LsgEncoderAttention, PublishedTensor } from "../../models/mod.ts";
import { closedForm, sinusoids } from "../_helpers/closed_form.ts";
import { golden, type GoldenTensor } from "../_helpers/golden.ts";
import { gpu } from "../_helpers/gpu.ts";

/** Outputs of one model for one input. */
interface Outputs {
  readonly output: GoldenTensor;
  readonly logits?: GoldenTensor;
}

/** tests/golden/lsg_<architecture>.json. */
export interface LsgGolden {
  readonly inputs: Record<string, { ids: GoldenTensor; mask: GoldenTensor }>;
  readonly decoder_ids?: GoldenTensor;
  readonly config: Record<string, unknown>;
  readonly converted_config: Record<string, unknown>;
  readonly tensors: Record<string, number[]>;
  readonly tables: Record<string, { shape: number[]; rows: Record<string, number[]> }>;
  readonly outputs: {
    readonly source: Record<string, Outputs>;
    readonly converted: Record<string, Record<string, Outputs>>;
    /** Outputs with other fields of the converted config.json. */
    readonly options?: Record<string, {
      readonly set: Record<string, unknown>;
      readonly outputs: Record<string, Outputs>;
    }>;
  };
}

/** Reads the file of an architecture. */
export const readLsgGolden = (name: string) => golden<LsgGolden>(`lsg_${name}`);

/** Every recorded selection of a converted model in both forms, with the faults that the reference has. */
export function convertedForms(file: LsgGolden, attention: LsgEncoderAttention) {
  return Object.entries(file.outputs.converted).flatMap(([sparsityType, outputs]) =>
    (["fused", "naive"] as const).map((form) => ({
      label: `${sparsityType} ${form}`,
      outputs,
      attention: {
        ...attention,
        ...{ form, sparsityType: sparsityType as SparsityType },
        ...(sparsityType === "bos_pooling" ? { parity: { bosPoolingMaskBug: true } } : {}),
      },
    }))
  );
}

/** Tensors of the source checkpoint. */
export function sourceTensors(file: LsgGolden): Map<string, PublishedTensor> {
  const sinusoidal = file.config.model_type === "pegasus";
  return new Map(
    Object.entries(file.tensors).map(([key, shape]) => [key, {
      shape,
      data: sinusoidal && key.endsWith("embed_positions.weight")
        ? sinusoids(shape[0], shape[1])
        : closedForm(key, shape),
    }]),
  );
}

/**
 * Tensors of the converted checkpoint: positions beyond the source's repeat it (sinusoidal ones go on), and of the global tokens there are the
 * recorded rows, which are more than the models here use.
 */
export function convertedTensors(file: LsgGolden, maxLength = 1024): Map<string, PublishedTensor> {
  const tensors = sourceTensors(file);
  for (const [key, { shape, data }] of tensors) {
    if (!/(?:embed_positions|position_embeddings)\.weight$/.test(key)) continue;
    const [rows, width] = shape;
    const first = rows - Number(file.config.max_position_embeddings) +
      (/roberta/.test(key) ? 2 : 0);
    const all = maxLength + first;
    tensors.set(key, {
      shape: [all, width],
      data: file.config.model_type === "pegasus"
        ? sinusoids(all, width)
        : Float32Array.from({ length: all * width }, (_, i) => {
          const row = Math.floor(i / width);
          const from = row < first ? row : first + (row - first) % (rows - first);
          return data[from * width + i % width];
        }),
    });
  }
  for (const [key, { shape, rows }] of Object.entries(file.tables)) {
    if (!key.endsWith("global_embeddings.weight")) continue;
    const data = new Float32Array(shape[0] * shape[1]);
    for (const [row, values] of Object.entries(rows)) data.set(values, Number(row) * shape[1]);
    tensors.set(key, { shape, data });
  }
  return tensors;
}

/** A golden tensor of whole numbers on the GPU. */
export const integers = ({ data, shape }: GoldenTensor) => gpu.tensor(Int32Array.from(data), shape);

/** Values of the rows [B, T, D] where the mask [B, T] is 1; what a model gives at padding means nothing. */
export function realRows(values: ArrayLike<number>, mask: GoldenTensor): number[] {
  const width = values.length / mask.data.length;
  return Array.from(values).filter((_, i) => mask.data[Math.floor(i / width)] === 1);
}
