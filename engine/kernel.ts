/**
 * The kernel contract: a kernel is plain data made by a pure function from sizes and options. It never sees a device, so its
 * text can be read and tested without one.
 */

/** Element type of a storage binding as the shader sees it. */
export type BindingType = "f32" | "vec2f" | "vec4f" | "i32" | "u32" | "vec4u" | "vec2u";

/** One storage buffer of a kernel, in binding order. */
export interface Binding {
  readonly name: string;
  readonly type: BindingType;
  readonly access: "read" | "write";
}

/** One value that may change from call to call without a new pipeline. */
export interface Uniform {
  readonly name: string;
  readonly type: "u32" | "i32" | "f32";
  readonly value: number;
}

/** Number of workgroups in x, y and z. */
export type Grid = readonly [number, number, number];

/** Everything needed to run one dispatch. */
export interface Kernel {
  /** `<op>_<direction>[_<variant>]`; also the GPU label and the row of a profile. */
  readonly name: string;
  /** All that is spliced into the text; name + key identify the pipeline. */
  readonly key: string;
  readonly bindings: readonly Binding[];
  readonly uniforms: readonly Uniform[];
  readonly grid: Grid;
  /** WGSL after the generated declarations; called only when the pipeline is not cached yet. */
  readonly body: () => string;
}

/** Storage binding the kernel only reads. */
export const read = (name: string, type: BindingType = "f32"): Binding => ({
  name,
  type,
  access: "read",
});
/** Storage binding the kernel writes (and may read). */
export const write = (name: string, type: BindingType = "f32"): Binding => ({
  name,
  type,
  access: "write",
});
/** Unsigned uniform. */
export const u32 = (name: string, value: number): Uniform => ({ name, type: "u32", value });
/** Floating-point uniform. */
export const f32 = (name: string, value: number): Uniform => ({ name, type: "f32", value });

/** Full WGSL of a kernel: uniform struct `u`, storage bindings by name, then the body. */
export function kernelSource(kernel: Kernel): string {
  const lines: string[] = [];
  kernel.bindings.forEach(({ name, type, access }, i) => {
    const mode = access === "read" ? "read" : "read_write";
    lines.push(`@group(0) @binding(${i}) var<storage, ${mode}> ${name}: array<${type}>;`);
  });
  if (kernel.uniforms.length > 0) {
    lines.push(
      `struct Uniforms { ${kernel.uniforms.map((x) => `${x.name}: ${x.type}`).join(", ")} }`,
    );
    lines.push(`@group(0) @binding(${kernel.bindings.length}) var<uniform> u: Uniforms;`);
  }
  return lines.join("\n") + "\n" + kernel.body();
}

/** Largest grid size WebGPU guarantees in each dimension. */
export const MAX_GRID = 65535;

/**
 * Grid for `count` workgroups of a one-dimensional kernel. Counts over 65,535 fold into y; the kernel gets its number back with
 * `workgroup.y * groups.x + workgroup.x` and must guard against the surplus.
 */
export function linearGrid(count: number): Grid {
  if (count <= MAX_GRID) return [Math.max(count, 1), 1, 1];
  const y = Math.ceil(count / MAX_GRID);
  return [Math.ceil(count / y), y, 1];
}

/**
 * WGSL of a loop's end that only uniforms decide. Mesa's lavapipe splices such uniforms into the code and may then compile the shader again at
 * every dispatch (0.3 s each); an end that depends on a buffer's length as well is left alone.
 *
 * @param bound The end, at most the number of elements of `buffer`.
 * @param buffer A storage binding of the kernel.
 * @param unit Values that one element of the binding holds. @default {1}
 */
export function loopEnd(bound: string, buffer: string, unit: 1 | 4 = 1): string {
  return `min(${bound}, arrayLength(&${buffer})${unit === 4 ? " * 4u" : ""})`;
}

/** Entry point of a one-dimensional kernel: `i` is the global index over the folded grid. */
export function linearMain(workgroupSize: number): string {
  return `@compute @workgroup_size(${workgroupSize})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) groups: vec3u) {
  let i = (workgroup.y * groups.x + workgroup.x) * ${workgroupSize}u + lane;`;
}
