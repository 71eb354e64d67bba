import { f32, type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";

const WORKGROUP = 256;

/**
 * How an operand's element is found from the output's index `i`:
 * `same` at i; `row` at i % period (a trailing vector); `column` at (i / inner) % period (one value for `inner` neighbours);
 * `strided` by the output's coordinates and one stride per axis (0 where the operand is broadcast).
 */
export type Access =
  | { readonly mode: "same" }
  | { readonly mode: "row"; readonly period: number }
  | { readonly mode: "column"; readonly inner: number; readonly period: number }
  | { readonly mode: "strided"; readonly strides: readonly number[] };

/** Sizes of an elementwise kernel in units of `type`: four output elements per thread, or one where widths do not allow it. */
export interface ElementwisePlan {
  readonly type: "f32" | "vec4f";
  readonly count: number;
  /** Collapsed output shape; used by strided operands only. */
  readonly sizes: readonly number[];
  readonly operands: readonly Access[];
}

/** A pointwise function: WGSL for the value of operands `a`, `b`, `c` and numbers `u.p`, `u.q`, `u.r`, of type `T`. */
export interface Pointwise {
  readonly name: string;
  readonly value: (T: string) => string;
  /** Functions the value calls. */
  readonly helpers?: (T: string) => string;
  /** How many of `u.p`, `u.q`, `u.r` the value uses. */
  readonly numbers?: number;
}

const OPERANDS = ["a", "b", "c"] as const;
const NUMBERS = ["p", "q", "r"] as const;

/** y = f(a, b, c) with broadcasting. */
export function elementwiseKernel(
  f: Pointwise,
  plan: ElementwisePlan,
  numbers: readonly number[],
): Kernel {
  const { type, count, sizes, operands } = plan;
  const strided = operands.some((o) => o.mode === "strided");
  const uniforms = [u32("count", count)];
  NUMBERS.slice(0, f.numbers ?? 0).forEach((name, i) => uniforms.push(f32(name, numbers[i])));
  if (strided) sizes.forEach((n, axis) => uniforms.push(u32(`size${axis}`, n)));
  operands.forEach((operand, o) => {
    const name = OPERANDS[o];
    if (operand.mode === "row") uniforms.push(u32(`${name}_period`, operand.period));
    if (operand.mode === "column") {
      uniforms.push(u32(`${name}_period`, operand.period), u32(`${name}_inner`, operand.inner));
    }
    if (operand.mode === "strided") {
      operand.strides.forEach((n, axis) => uniforms.push(u32(`${name}_stride${axis}`, n)));
    }
  });
  const modes = operands.map((o) => o.mode).join();
  return {
    name: `elementwise_${f.name}`,
    key: `${type} ${modes}${strided ? ` rank ${sizes.length}` : ""}`,
    bindings: [
      ...operands.map((o, i) => read(`in_${OPERANDS[i]}`, o.mode === "column" ? "f32" : type)),
      write("y", type),
    ],
    uniforms,
    grid: linearGrid(Math.ceil(count / WORKGROUP)),
    body: () =>
      `${f.helpers?.(type) ?? ""}
${linearMain(WORKGROUP)}
  if (i >= u.count) { return; }
${strided ? coordinates(sizes.length) : ""}${
        operands.map((o, k) =>
          `  let ${OPERANDS[k]} = ${type}(in_${OPERANDS[k]}[${index(o, OPERANDS[k])}]);\n`
        ).join("")
      }  y[i] = ${f.value(type)};
}`,
  };
}

function index(operand: Access, name: string): string {
  switch (operand.mode) {
    case "same":
      return "i";
    case "row":
      return `i % u.${name}_period`;
    case "column":
      return `(i / u.${name}_inner) % u.${name}_period`;
    case "strided":
      return operand.strides.map((_, axis) => `i${axis} * u.${name}_stride${axis}`).join(" + ");
  }
}

/** i0, i1, ...: the output's coordinates, innermost last. */
function coordinates(rank: number): string {
  const lines = ["  var rest = i;"];
  for (let axis = rank - 1; axis > 0; axis--) {
    lines.push(`  let i${axis} = rest % u.size${axis}; rest /= u.size${axis};`);
  }
  return lines.concat("  let i0 = rest;\n").join("\n");
}
