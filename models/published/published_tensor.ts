import type { Parameter, ParameterSet } from "../../engine/mod.ts";
import { ConfigError } from "../model_error.ts";

/** One tensor of a published checkpoint. */
export interface PublishedTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** What loading found. */
export interface LoadReport {
  /** Parameters of the model that the file does not have; they keep their initial values. */
  readonly missing: string[];
  /** Keys of the file that the model has no place for. */
  readonly unused: string[];
}

/** How the names of a file and of a model meet. */
export interface LoadPlan {
  /** Name of the model for messages. */
  readonly what: string;
  /** A key of the file without what varies between files. */
  readonly plainKey: (key: string) => string;
  /** Alternatives for a parameter; the first one that the file has in full is taken, its tensors side by side. */
  readonly keysOf: (name: string) => readonly (readonly string[])[];
  /** True for a parameter that a file may lack. */
  readonly optional: (name: string) => boolean;
}

/**
 * Copies published tensors into the parameters of a model. Matrices are published as [out, in] and turned, tables (names that start with
 * `embeddings.`) and vectors are not.
 *
 * @throws {ConfigError} If a tensor that the model needs is missing or has another shape.
 */
export function loadPublished(
  parameters: ParameterSet,
  tensors: ReadonlyMap<string, PublishedTensor>,
  { what, plainKey, keysOf, optional }: LoadPlan,
): LoadReport {
  const files = new Map([...tensors].map(([key, t]) => [plainKey(key), { key, t }]));
  const used = new Set<string>();
  const missing: string[] = [];
  for (const parameter of parameters) {
    const alternatives = keysOf(parameter.name);
    const keys = alternatives.find((keys) => keys.every((key) => files.has(key)));
    if (!keys) {
      if (!optional(parameter.name)) {
        throw new ConfigError(
          `Cannot load ${what} weights: ${parameter.name} needs ${
            alternatives.map((keys) => keys.join(", ")).join(" or ")
          }, which the file does not have`,
        );
      }
      missing.push(parameter.name);
      continue;
    }
    const sources = keys.map((key) => files.get(key)!);
    sources.forEach(({ key }) => used.add(key));
    parameters.gpu.upload(parameter, assemble(what, parameter, sources.map(({ t }) => t)));
  }
  return { missing, unused: [...tensors.keys()].filter((key) => !used.has(key)) };
}

/** Turns [out, in] matrices and puts several side by side. Tables and vectors stay as they are. */
function assemble(
  what: string,
  parameter: Parameter,
  parts: readonly PublishedTensor[],
): Float32Array {
  const isTable = /^embeddings\.(?!mapping\.)/.test(parameter.name);
  const [rows, columns] = parameter.shape;
  const turned = parameter.rank === 2 && !isTable;
  const expected = turned
    ? [columns / parts.length, rows]
    : parameter.rank === 1
    ? [rows / parts.length]
    : [...parameter.shape];
  for (const { shape } of parts) {
    // A vector may be published as a matrix of one row.
    if (shape.join() !== expected.join() && shape.join() !== [1, ...expected].join()) {
      throw new ConfigError(
        `Cannot load ${what} weights: a tensor of ${parameter.name} is [${shape}], expected [${expected}]; ` +
          "build the model from the checkpoint's own config.json",
      );
    }
  }
  const values = new Float32Array(parameter.size);
  parts.forEach(({ data }, part) => {
    if (!turned) return values.set(Float32Array.from(data), part * data.length);
    const width = columns / parts.length;
    for (let out = 0; out < width; out++) {
      for (let i = 0; i < rows; i++) {
        values[i * columns + part * width + out] = data[out * rows + i];
      }
    }
  });
  return values;
}
