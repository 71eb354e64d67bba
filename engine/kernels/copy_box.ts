import { type Kernel, linearGrid, linearMain, read, u32, type Uniform, write } from "../kernel.ts";

/** One dimension of a box of elements that is copied between two arrays. Strides count elements and may be negative or 0. */
export interface BoxAxis {
  readonly size: number;
  readonly source: number;
  readonly target: number;
}

/** A copy target[targetOffset + sum c_k target_k] = source[sourceOffset + sum c_k source_k] over all coordinates c. */
export interface CopyBox {
  readonly axes: readonly BoxAxis[];
  readonly sourceOffset: number;
  readonly targetOffset: number;
}

/** What a thread copies: an element, a vec4, or a 4 x 4 tile that it turns around. */
type Unit = "element" | "vector" | "tile";

interface Plan extends CopyBox {
  readonly unit: Unit;
  /** Distance between the four loads and the four stores of a tile. */
  readonly sourceRow: number;
  readonly targetRow: number;
}

const WORKGROUP = 256;

/** Copies bits, so any element type. Permutation, slice, flip and placement into a larger array are all such copies. */
export function copyBoxKernel(box: CopyBox): Kernel {
  const plan = planCopy(box);
  const { unit, axes } = plan;
  const type = unit === "element" ? "u32" : "vec4u";
  const total = axes.reduce((product, { size }) => product * size, 1);
  const i32 = (name: string, value: number): Uniform => ({ name, type: "i32", value });
  return {
    name: `copy_box_${unit}`,
    key: `${axes.length}`,
    bindings: [read("source", type), write("target_", type)],
    uniforms: [
      u32("total", total),
      i32("sourceOffset", plan.sourceOffset),
      i32("targetOffset", plan.targetOffset),
      i32("sourceRow", plan.sourceRow),
      i32("targetRow", plan.targetRow),
      ...axes.flatMap(({ size, source, target }, k) => [
        u32(`size${k}`, size),
        i32(`source${k}`, source),
        i32(`target${k}`, target),
      ]),
    ],
    grid: linearGrid(Math.ceil(total / WORKGROUP)),
    body: () => body(unit, axes.length),
  };
}

function body(unit: Unit, rank: number): string {
  const coordinates: string[] = [];
  for (let k = rank - 1; k >= 0; k--) {
    coordinates.push(
      `c = i32(rest % u.size${k}); rest /= u.size${k}; from_ += c * u.source${k}; to += c * u.target${k};`,
    );
  }
  const store = unit === "tile"
    ? `let tile = transpose4(source[from_], source[from_ + u.sourceRow], source[from_ + 2 * u.sourceRow],
      source[from_ + 3 * u.sourceRow]);
    for (var row = 0; row < 4; row++) { target_[to + row * u.targetRow] = tile[row]; }`
    : "target_[to] = source[from_];";
  const helper = unit === "tile"
    ? `fn transpose4(a: vec4u, b: vec4u, c: vec4u, d: vec4u) -> array<vec4u, 4> {
  return array(vec4u(a.x, b.x, c.x, d.x), vec4u(a.y, b.y, c.y, d.y), vec4u(a.z, b.z, c.z, d.z), vec4u(a.w, b.w, c.w, d.w));
}
`
    : "";
  return `${helper}${linearMain(WORKGROUP)}
  if (i < u.total) {
    var rest = i;
    var from_ = u.sourceOffset;
    var to = u.targetOffset;
    var c = 0;
    ${coordinates.join("\n    ")}
    ${store}
  }
}`;
}

/** Merges what is contiguous in both arrays and picks the widest unit the strides allow. */
function planCopy(box: CopyBox): Plan {
  const axes = merge(box.axes);
  const { sourceOffset, targetOffset } = box;
  const plain = { ...box, axes, unit: "element", sourceRow: 0, targetRow: 0 } as const;
  if (sourceOffset % 4 !== 0 || targetOffset % 4 !== 0) return plain;
  const last = axes.length - 1;
  const aligned = (n: number) => n % 4 === 0;
  const quarter = { sourceOffset: sourceOffset / 4, targetOffset: targetOffset / 4 };
  const { size, source, target } = axes[last];
  if (target !== 1 || !aligned(size)) return plain;
  if (source === 1) {
    const outer = axes.slice(0, last);
    if (!outer.every((a) => aligned(a.source) && aligned(a.target))) return plain;
    const shrunk = outer.map((a) => ({
      size: a.size,
      source: a.source / 4,
      target: a.target / 4,
    }));
    return {
      ...plain,
      ...quarter,
      unit: "vector",
      axes: [...shrunk, { size: size / 4, source: 1, target: 1 }],
    };
  }
  const across = axes.findIndex((a) => a.source === 1);
  const turnable = across >= 0 && aligned(axes[across].size) &&
    axes.every((a, k) => (k === across || aligned(a.source)) && (k === last || aligned(a.target)));
  if (!turnable) return plain;
  return {
    ...quarter,
    unit: "tile",
    sourceRow: source / 4,
    targetRow: axes[across].target / 4,
    axes: axes.map((a, k) =>
      k === last
        ? { size: size / 4, source, target: 1 }
        : k === across
        ? { size: a.size / 4, source: 1, target: a.target }
        : { size: a.size, source: a.source / 4, target: a.target / 4 }
    ),
  };
}

function merge(axes: readonly BoxAxis[]): BoxAxis[] {
  const merged: BoxAxis[] = [];
  for (const axis of axes) {
    if (axis.size === 1) continue;
    const outer = merged.at(-1);
    if (
      outer?.source === axis.source * axis.size && outer.target === axis.target * axis.size
    ) {
      merged[merged.length - 1] = { ...axis, size: outer.size * axis.size };
    } else merged.push(axis);
  }
  return merged.length > 0 ? merged : [{ size: 1, source: 1, target: 1 }];
}
