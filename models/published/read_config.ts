import { ConfigError } from "../model_error.ts";

/** A config.json whose values are checked as they are read. */
export class PublishedConfig {
  readonly #json: Readonly<Record<string, unknown>>;

  constructor(json: unknown) {
    if (typeof json !== "object" || json === null) {
      throw new ConfigError(`Cannot read config.json: it is ${json}, expected an object`);
    }
    this.#json = json as Record<string, unknown>;
  }

  /** The value of a key as it stands. */
  get(key: string): unknown {
    return this.#json[key];
  }

  /** A number; null and a missing key give the fallback. */
  number(key: string, fallback?: number): number {
    const value = this.#json[key] ?? fallback;
    if (typeof value === "number") return value;
    throw new ConfigError(`Cannot read config.json: ${key} is ${value}, expected a number`);
  }

  /** True or false; null and a missing key give the fallback. */
  boolean(key: string, fallback: boolean): boolean {
    const value = this.#json[key] ?? fallback;
    if (typeof value === "boolean") return value;
    throw new ConfigError(`Cannot read config.json: ${key} is ${value}, expected true or false`);
  }

  /** `model_type`, which has to be one of the given ones. */
  modelType<T extends string>(types: readonly T[]): T {
    const type = types.find((t) => t === this.#json.model_type);
    if (type !== undefined) return type;
    throw new ConfigError(
      `Cannot read config.json: model_type is ${this.#json.model_type}, expected ${
        types.slice(0, -1).join(", ")
      } or ${types.at(-1)}`,
    );
  }

  /** The non-linearity under `key` by our names. */
  activation<T extends "gelu" | "geluTanh" | "relu">(key: string, allowed: readonly T[]): T {
    const value = this.#json[key] ?? "gelu";
    const found = allowed.find((name) => ACTIVATIONS[name].includes(String(value)));
    if (found !== undefined) return found;
    throw new ConfigError(
      `Cannot read config.json: activation is ${value}, expected ${
        allowed.flatMap((name) => ACTIVATIONS[name]).join(" or ")
      }`,
    );
  }
}

const ACTIVATIONS: Readonly<Record<"gelu" | "geluTanh" | "relu", readonly string[]>> = {
  gelu: ["gelu"],
  geluTanh: ["gelu_new", "gelu_pytorch_tanh", "gelu_fast"],
  relu: ["relu"],
};
