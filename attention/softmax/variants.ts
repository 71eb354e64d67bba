import type { Gpu } from "../../engine/mod.ts";
import { vectorsPerRow } from "./kernels_problem.ts";

/**
 * How the fused kernels split the work.
 *
 * - `direct`: `rows` query (or key) rows per thread in registers, 8 threads, no workgroup memory. For software adapters, where a
 *   load costs as much as dozens of multiply-adds.
 * - `staged`: `rows` query rows per workgroup, four threads per row, the other operand's tiles in workgroup memory. For GPUs.
 */
export interface AttentionVariant {
  readonly family: "direct" | "staged";
  readonly rows: number;
}

/** Threads of a `direct` workgroup. */
export const DIRECT_THREADS = 8;
/** Threads that share a row of a `staged` workgroup: each takes every fourth key of a tile. */
export const STAGED_SPLITS = 4;
/** Workgroup memory of `staged`, in vec4: 16 KiB, what WebGPU guarantees. */
export const STAGED_VECTORS = 1024;

/** Rows per thread x width that fill the registers without spilling; measured on llvmpipe. */
const REGISTER_FLOATS = 128;

/** `direct-4`: the name of a variant in keys and reports. */
export function variantName({ family, rows }: AttentionVariant): string {
  return `${family}-${rows}`;
}

/** The variant of that name. */
export function parseVariant(name: string): AttentionVariant {
  const match = /^(direct|staged)-(\d+)$/.exec(name);
  const rows = Number(match?.[2]);
  if (!match || (match[1] === "direct" ? rows < 1 || rows > 16 : rows !== 32 && rows !== 64)) {
    throw new RangeError(
      `Cannot use attention variant "${name}": expected direct-1 .. direct-16, staged-32 or staged-64`,
    );
  }
  return { family: match[1] as AttentionVariant["family"], rows };
}

/** The variant used when nothing was chosen: by adapter class and head width. */
export function defaultVariant(
  adapterClass: "hardware" | "software",
  d: number,
): AttentionVariant {
  if (adapterClass === "hardware") return { family: "staged", rows: 32 };
  return { family: "direct", rows: directRows(d, REGISTER_FLOATS) };
}

/** Variants worth timing for a length and head width, the default of each family first. */
export function candidateVariants(T: number, d: number): AttentionVariant[] {
  const rows = directRows(d, REGISTER_FLOATS);
  const list: AttentionVariant[] = [{ family: "direct", rows }, { family: "staged", rows: 32 }];
  if (T > 32) list.push({ family: "staged", rows: 64 });
  if (rows > 1) list.push({ family: "direct", rows: rows / 2 });
  return list;
}

/** Key of `gpu.choices` under which a tuned variant's name is kept: head width and power-of-two class of the length. */
export function variantChoiceKey(T: number, d: number): string {
  return `softmax_attention d=${d} log2T=${Math.ceil(Math.log2(Math.max(T, 1)))}`;
}

/** The variant to use: the tuned one if there is one, else the default. */
export function chooseVariant(gpu: Gpu, T: number, d: number): AttentionVariant {
  const tuned = gpu.choices.get(variantChoiceKey(T, d));
  return tuned ? parseVariant(tuned) : defaultVariant(gpu.info.class, d);
}

function directRows(d: number, floats: number): number {
  const rows = floats / (vectorsPerRow(d) * 4);
  return rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
}
