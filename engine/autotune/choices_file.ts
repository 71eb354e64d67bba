import type { Gpu } from "../gpu.ts";
import { streamOf } from "../random.ts";
import type { Candidate, Tunable } from "./candidate.ts";
import { candidateNamed } from "./choices.ts";

/** Choices as they are stored; they hold for one adapter, one set of kernels and one runtime. */
export interface ChoicesFile {
  readonly format: 1;
  /** Vendor, architecture and description of the adapter. */
  readonly adapter: string;
  /** Hash of the operations' kernel texts. */
  readonly kernels: string;
  /** Runtime as it names itself; another one may compile the same kernels differently. */
  readonly runtime: string;
  /** Candidate by choice key. */
  readonly choices: Readonly<Record<string, string>>;
}

// deno-lint-ignore no-explicit-any -- operations of different problems share one list
export type AnyTunable = Tunable<any, Candidate<any>>;

/** Most bytes of text read as a choices file. */
const MAX_TEXT = 1 << 20;

/** What identifies the adapter a choice was made on. */
export function adapterKey(
  { vendor, architecture, description }: {
    readonly vendor: string;
    readonly architecture: string;
    readonly description: string;
  },
): string {
  return [vendor, architecture, description].join(" | ");
}

/** Hash of everything the candidates of these operations are made of. */
export function kernelsHash(operations: readonly AnyTunable[]): string {
  const text = operations.map(({ name, source }) => `${name}\n${source()}`).toSorted().join("\n");
  return streamOf(text).toString(16).padStart(8, "0");
}

/** The tuned and pinned choices of these operations as JSON; the caller writes the file. */
export function exportChoices(gpu: Gpu, operations: readonly AnyTunable[]): string {
  const choices: Record<string, string> = {};
  for (const key of [...gpu.choices.keys()].toSorted()) {
    if (operationOf(key, operations)) choices[key] = gpu.choices.get(key)!;
  }
  const file: ChoicesFile = { ...header(gpu, operations), choices };
  return JSON.stringify(file, null, 2) + "\n";
}

/**
 * Puts stored choices into `gpu.choices`, all or none.
 *
 * @param text What `exportChoices` made.
 * @throws {SyntaxError} If the text is not JSON.
 * @throws {TypeError} If it is not a choices file.
 * @throws {RangeError} If it was made on another adapter, from other kernels or by another runtime, or names what does not exist.
 */
export function importChoices(gpu: Gpu, operations: readonly AnyTunable[], text: string): void {
  if (text.length > MAX_TEXT) {
    throw new RangeError(
      `Cannot read choices: the text has ${text.length} characters, expected at most ${MAX_TEXT}`,
    );
  }
  const file: unknown = JSON.parse(text);
  if (!isChoicesFile(file)) {
    throw new TypeError("Cannot read choices: the text is no choices file of format 1; tune again");
  }
  const expected = header(gpu, operations);
  for (const name of ["adapter", "kernels", "runtime"] as const) {
    if (file[name] !== expected[name]) {
      throw new RangeError(
        `Cannot use choices: ${name} is "${file[name]}", expected "${expected[name]}"; tune again`,
      );
    }
  }
  for (const [key, name] of Object.entries(file.choices)) {
    const operation = operationOf(key, operations);
    if (!operation) throw new RangeError(`Cannot use choices: no operation has the key "${key}"`);
    candidateNamed(operation, name);
  }
  for (const [key, name] of Object.entries(file.choices)) gpu.choices.set(key, name);
}

function header(gpu: Gpu, operations: readonly AnyTunable[]): Omit<ChoicesFile, "choices"> {
  return {
    format: 1,
    adapter: adapterKey(gpu.info),
    kernels: kernelsHash(operations),
    runtime: globalThis.navigator?.userAgent ?? "unknown",
  };
}

function operationOf(key: string, operations: readonly AnyTunable[]): AnyTunable | undefined {
  return operations.find(({ name }) => key === name || key.startsWith(`${name} `));
}

function isChoicesFile(value: unknown): value is ChoicesFile {
  if (typeof value !== "object" || value === null) return false;
  const { format, adapter, kernels, runtime, choices } = value as Record<string, unknown>;
  return format === 1 && [adapter, kernels, runtime].every((x) => typeof x === "string") &&
    typeof choices === "object" && choices !== null && !Array.isArray(choices) &&
    Object.values(choices).every((x) => typeof x === "string");
}
