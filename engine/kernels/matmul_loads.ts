import { loopEnd } from "../kernel.ts";
import type { MatmulProblem } from "./matmul.ts";

/** Which buffers of a product are bound as `vec4f`; the others are read and written element by element. */
export interface VectorAccess {
  readonly a: boolean;
  readonly b: boolean;
  /** The output and everything of its shape, and the bias. */
  readonly c: boolean;
}

/** A buffer can be vec4 when each of its rows, and each matrix of its batch, starts at a multiple of four elements. */
export function vectorAccess(p: MatmulProblem): VectorAccess {
  const aligned = (row: number, stride: number) =>
    row % 4 === 0 && (p.batch === 1 || stride % 4 === 0);
  return {
    a: aligned(p.transposeA ? p.M : p.K, p.strideA),
    b: aligned(p.transposeB ? p.K : p.N, p.strideB),
    c: p.N % 4 === 0,
  };
}

/** True when the last step of four along K is cut short, so that loads must be guarded. */
export function hasTail(p: Pick<MatmulProblem, "K">): boolean {
  return p.K % 4 !== 0;
}

/**
 * WGSL of `base_a(offset, row)`, `load_a(base, k)` and the same for `b` and columns. A load gives four values that lie side by side: for
 * an operand stored along k four k of one row (column), for one stored across it four rows (columns) at one k.
 *
 * What does not change along k is in the base, so that the inner loop adds and loads only. Lines past the edge are clamped (the sums they
 * enter are never stored); k past the end gives zero, guarded only when K is no multiple of four.
 */
export function matmulLoads(p: MatmulProblem, vectors: VectorAccess): string {
  const tail = hasTail(p);
  return operandLoads("a", "M", !p.transposeA, vectors.a, tail) +
    operandLoads("b", "N", p.transposeB, vectors.b, tail);
}

/** WGSL of the end of the loop over k; A holds K values at least. */
export function sumEnd(vectors: VectorAccess): string {
  return loopEnd("u.K", "a", vectors.a ? 4 : 1);
}

function operandLoads(
  name: "a" | "b",
  edge: "M" | "N",
  alongK: boolean,
  vector: boolean,
  tail: boolean,
): string {
  const functions = (type: "u32" | "vec4u", base: string, load: string) =>
    `fn base_${name}(offset: u32, line: u32) -> ${type} { return ${base}; }
fn load_${name}(base: ${type}, k: u32) -> vec4f { ${load} }
`;
  const inside = tail ? "min(k, u.K - 1u)" : "k";
  const guarded = (value: string) => tail ? `select(vec4f(), ${value}, k < u.K)` : value;
  if (alongK && vector) {
    return functions(
      "u32",
      `offset + min(line, u.${edge} - 1u) * (u.K / 4u)`,
      `return ${name}[base + k / 4u];`,
    );
  }
  if (alongK) {
    const parts = [0, 1, 2, 3].map((j) =>
      tail
        ? `select(0.0, ${name}[base + min(k + ${j}u, u.K - 1u)], k + ${j}u < u.K)`
        : `${name}[base + k + ${j}u]`
    );
    return functions(
      "u32",
      `offset + min(line, u.${edge} - 1u) * u.K`,
      `return vec4f(${parts.join(", ")});`,
    );
  }
  if (vector) {
    return functions(
      "u32",
      `offset + min(line, u.${edge} - 4u) / 4u`,
      `return ${guarded(`${name}[base + ${inside} * (u.${edge} / 4u)]`)};`,
    );
  }
  const parts = ["x", "y", "z", "w"].map((j) => `${name}[at.${j}]`).join(", ");
  return functions(
    "vec4u",
    `offset + min(vec4u(line) + vec4u(0u, 1u, 2u, 3u), vec4u(u.${edge} - 1u))`,
    `let at = base + ${inside} * u.${edge}; return ${guarded(`vec4f(${parts})`)};`,
  );
}
