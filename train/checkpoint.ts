import type { ParameterSet, Tensor } from "../engine/mod.ts";
import type { AdamW } from "./adamw.ts";
import { readSafetensors, type StoredTensor, writeSafetensors } from "./safetensors.ts";
import { SafetensorsError } from "./safetensors_error.ts";

/** What a checkpoint says besides the weights. */
export interface CheckpointState {
  /** Optimizer updates done. */
  readonly step: number;
  /** Anything JSON the caller needs to go on: configuration, data position, curve so far. */
  readonly extra: Record<string, unknown>;
}

const MODEL = "model.";
const FIRST = "optimizer.first.";
const SECOND = "optimizer.second.";

/**
 * Weights, and with an optimizer also its moments and step, as one safetensors file. Restoring it continues bit for bit: the
 * suite's random numbers are functions of (seed, stream, step), so there is no generator state to save.
 */
export async function saveCheckpoint(
  parameters: ParameterSet,
  optimizer: AdamW | undefined,
  extra: Record<string, unknown> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = new Map<string, Tensor>();
  for (const parameter of parameters) tensors.set(MODEL + parameter.name, parameter);
  const moments = optimizer?.moments() ?? new Map<string, { first: Tensor; second: Tensor }>();
  for (const [name, { first, second }] of moments) {
    tensors.set(FIRST + name, first);
    tensors.set(SECOND + name, second);
  }
  const gpu = parameters.gpu;
  const reads = [...tensors].map(([name, tensor]) => ({
    name,
    shape: tensor.shape,
    later: gpu.readLater(tensor),
  }));
  gpu.submit();
  const stored = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const { name, shape, later } of reads) {
    stored.set(name, { shape, data: await later.value as Float32Array });
  }
  for (const { first, second } of moments.values()) {
    first.dispose();
    second.dispose();
  }
  const body = { step: optimizer?.steps ?? 0, extra };
  return writeSafetensors(stored, {
    state: JSON.stringify(body),
    sha256: await digest(stored.values()),
  });
}

/** A checkpoint as read: tensors by the names in the file, `model.` in front of the weights. */
export interface CheckpointFile extends CheckpointState {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Reads a checkpoint and verifies its checksum.
 *
 * @param bytes The whole file.
 * @param name What to call it in errors.
 * @throws {SafetensorsError} If the file is damaged or no checkpoint of this suite.
 */
export async function readCheckpoint(
  bytes: Uint8Array,
  name = "the checkpoint",
): Promise<CheckpointFile> {
  const { tensors, metadata } = readSafetensors(bytes, name);
  if (metadata.state === undefined || metadata.sha256 === undefined) {
    throw new SafetensorsError(
      `Cannot load ${name}: it is a safetensors file without training state, expected a checkpoint`,
    );
  }
  if (metadata.sha256 !== await digest(tensors.values())) {
    throw new SafetensorsError(
      `Cannot load ${name}: its contents do not match its SHA-256; delete it to start again`,
    );
  }
  const { step, extra } = JSON.parse(metadata.state) as CheckpointState;
  return { tensors, step, extra };
}

/** Weights of a checkpoint by the model's own parameter names. */
export function checkpointWeights(
  { tensors }: CheckpointFile,
): Map<string, { shape: readonly number[]; data: Float32Array }> {
  const weights = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [key, { shape, data }] of tensors) {
    if (!key.startsWith(MODEL)) continue;
    weights.set(key.slice(MODEL.length), { shape, data: data as Float32Array });
  }
  return weights;
}

/**
 * Puts a checkpoint's weights (and moments) back.
 *
 * @returns The saved step and extra state.
 * @throws {SafetensorsError} If the file is damaged or belongs to a model with other parameters.
 */
export async function loadCheckpoint(
  bytes: Uint8Array,
  parameters: ParameterSet,
  optimizer?: AdamW,
  name = "the checkpoint",
): Promise<CheckpointState> {
  const { tensors, step, extra } = await readCheckpoint(bytes, name);
  const gpu = parameters.gpu;
  const restore = (key: string, target: Tensor) => {
    const stored = tensors.get(key);
    if (!stored || stored.shape.join() !== target.shape.join()) {
      throw new SafetensorsError(
        `Cannot load ${name}: ${key} is ${
          stored ? `[${stored.shape}]` : "missing"
        }, the model expects [${target.shape}]`,
      );
    }
    gpu.upload(target, stored.data as Float32Array);
  };
  for (const parameter of parameters) restore(MODEL + parameter.name, parameter);
  if (optimizer) {
    for (const [key, { first, second }] of optimizer.moments()) {
      restore(FIRST + key, first);
      restore(SECOND + key, second);
      first.dispose();
      second.dispose();
    }
    optimizer.steps = step;
  }
  return { step, extra };
}

async function digest(tensors: Iterable<{ data: ArrayBufferView }>): Promise<string> {
  const parts = [...tensors].map(({ data }) =>
    new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  );
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
