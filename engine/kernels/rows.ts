import { type Grid, linearGrid, linearMain } from "../kernel.ts";

/**
 * How rows are shared out: `"thread"` gives each row to one thread (software adapters, where barriers cost more than arithmetic); a number is
 * the threads of the workgroup that shares a row (hardware, where neighbouring threads must read neighbouring addresses).
 */
export type RowVariant = "thread" | 8 | 64;

/** Threads of a workgroup when each has a row of its own. */
const ROWS_PER_WORKGROUP = 8;

/** Vector width of row kernels: four columns at a time where the width allows it. */
export interface RowType {
  readonly type: "f32" | "vec4f";
  /** Row width in units of `type`. */
  readonly width: number;
}

/** Element type and width for rows of `columns` elements. */
export function rowType(columns: number): RowType {
  return columns % 4 === 0
    ? { type: "vec4f", width: columns / 4 }
    : { type: "f32", width: columns };
}

/** Grid of a row kernel. */
export function rowGrid(rows: number, variant: RowVariant): Grid {
  return linearGrid(variant === "thread" ? Math.ceil(rows / ROWS_PER_WORKGROUP) : rows);
}

/**
 * Opening of a row kernel, to be closed by `}`. It defines `row`, `lane` and `STEP`: the body visits columns lane, lane + STEP, ... and
 * calls `row_sum(v)` or `row_max(v)` where all threads of the row need the same result. The uniform `rows` must exist.
 */
export function rowMain(variant: RowVariant, type: "f32" | "vec4f"): string {
  const lanes = type === "vec4f"
    ? `fn lanes_sum(v: vec4f) -> f32 { return dot(v, vec4f(1.0)); }
fn lanes_max(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }`
    : `fn lanes_sum(v: f32) -> f32 { return v; }
fn lanes_max(v: f32) -> f32 { return v; }`;
  if (variant === "thread") {
    return `${lanes}
const STEP = 1u;
fn row_sum(v: f32, lane: u32) -> f32 { return v; }
fn row_max(v: f32, lane: u32) -> f32 { return v; }
${linearMain(ROWS_PER_WORKGROUP).replace("lane: u32", "thread: u32").replace("+ lane", "+ thread")}
  let row = i;
  let lane = 0u;
  if (row >= u.rows) { return; }
`;
  }
  // `row` depends on the workgroup only, so leaving early keeps the barriers in uniform control flow.
  return `${lanes}
const STEP = ${variant}u;
var<workgroup> parts: array<f32, ${variant}>;
${tree(variant, "row_sum", (a, b) => `${a} + ${b}`)}
${tree(variant, "row_max", (a, b) => `max(${a}, ${b})`)}
@compute @workgroup_size(${variant})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) groups: vec3u) {
  let row = workgroup.y * groups.x + workgroup.x;
  if (row >= u.rows) { return; }
`;
}

/** Tree reduction in workgroup memory; every thread gets the result. */
function tree(threads: number, name: string, combine: (a: string, b: string) => string): string {
  const steps: string[] = [];
  for (let half = threads / 2; half >= 1; half /= 2) {
    steps.push(
      `  if (lane < ${half}u) { parts[lane] = ${
        combine("parts[lane]", `parts[lane + ${half}u]`)
      }; }\n  workgroupBarrier();`,
    );
  }
  return `fn ${name}(v: f32, lane: u32) -> f32 {
  parts[lane] = v;
  workgroupBarrier();
${steps.join("\n")}
  let result = parts[0];
  workgroupBarrier();
  return result;
}`;
}
