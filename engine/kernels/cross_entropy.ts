import {
  type Binding,
  f32,
  type Kernel,
  linearGrid,
  read,
  u32,
  type Uniform,
  write,
} from "../kernel.ts";

/** One block of rows of logits [rows, classes] and how its loss is defined. */
export interface CrossEntropyRows {
  readonly rows: number;
  readonly classes: number;
  /** Row of `targets` and `losses` that the first row of logits belongs to. */
  readonly firstRow: number;
  /** Target that leaves a row out. */
  readonly ignoreIndex: number;
  /** Share of the target distribution spread evenly over the classes. */
  readonly labelSmoothing: number;
  /**
   * Where the gradient of the mean loss goes: nowhere, over the logits, or into a tensor of its own. It is
   * (softmax - target distribution) * weight, with the weight read from a [1] tensor.
   */
  readonly gradient: "none" | "inPlace" | "separate";
}

/** Threads that share a row; 1 gives each thread a row of its own. */
export type RowThreads = 1 | 8 | 64 | 256;

const ROWS_PER_WORKGROUP = 8;

/**
 * Loss of each row, and its gradient if asked for, in two passes over the logits: a running maximum and sum of exponentials, then the
 * gradient. Bindings: logits, targets, losses, then weight and (if separate) gradient.
 */
export function crossEntropyKernel(problem: CrossEntropyRows, threads: RowThreads): Kernel {
  const { rows, classes, gradient } = problem;
  const vector = classes % 4 === 0;
  const type = vector ? "vec4f" : "f32";
  const smoothed = problem.labelSmoothing > 0;
  return {
    name: `cross_entropy${gradient === "none" ? "_fwd" : "_fwd_bwd"}`,
    key: `${type} ${threads} ${gradient} ${smoothed ? "smoothed" : ""}`,
    bindings: bindings(gradient, type),
    uniforms: uniforms(problem, vector),
    grid: linearGrid(threads === 1 ? Math.ceil(rows / ROWS_PER_WORKGROUP) : rows),
    body: () =>
      threads === 1
        ? threadPerRow(gradient, vector, smoothed)
        : workgroupPerRow(gradient, vector, smoothed, threads),
  };
}

function bindings(gradient: CrossEntropyRows["gradient"], type: "vec4f" | "f32"): Binding[] {
  const list = [
    gradient === "inPlace" ? write("logits", type) : read("logits", type),
    read("targets", "i32"),
    write("losses"),
  ];
  if (gradient !== "none") list.push(read("weight"));
  if (gradient === "separate") list.push(write("gradient", type));
  return list;
}

function uniforms(problem: CrossEntropyRows, vector: boolean): Uniform[] {
  const { rows, classes, firstRow, ignoreIndex, labelSmoothing } = problem;
  return [
    u32("rows", rows),
    u32("classes", classes),
    u32("width", vector ? classes / 4 : classes),
    u32("firstRow", firstRow),
    { name: "ignoreIndex", type: "i32", value: ignoreIndex },
    f32("smoothing", labelSmoothing),
    // WGSL has no literal for it, and constant expressions may not overflow.
    f32("nan", NaN),
  ];
}

/** WGSL over values of type `f32` or `vec4f`. */
function functions(vector: boolean): string {
  const T = vector ? "vec4f" : "f32";
  return vector
    ? `fn largest(v: ${T}) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }
fn total(v: ${T}) -> f32 { return v.x + v.y + v.z + v.w; }
fn logit(row: u32, class_: u32) -> f32 { return logits[row * u.width + class_ / 4u][class_ % 4u]; }
fn is_class(k: u32, class_: u32) -> vec4<bool> { return vec4u(4u * k, 4u * k + 1u, 4u * k + 2u, 4u * k + 3u) == vec4u(class_); }`
    : `fn largest(v: ${T}) -> f32 { return v; }
fn total(v: ${T}) -> f32 { return v; }
fn logit(row: u32, class_: u32) -> f32 { return logits[row * u.width + class_]; }
fn is_class(k: u32, class_: u32) -> bool { return k == class_; }`;
}

/** First pass over k = first, first + step, ...: per-lane maximum `m`, sum `s` of exp(z - m) and, for smoothing, sum `sum` of z. */
function statistics(T: string, smoothed: boolean, first: string, step: string): string {
  return `var m = ${T}(-1e30);
    var s = ${T}(0.0);
    var sum = ${T}(0.0);
    for (var k = ${first}; k < u.width; k += ${step}) {
      let z = logits[row * u.width + k];
      let n = max(m, z);
      s = s * exp(m - n) + exp(z - n);
      m = n;
      ${smoothed ? "sum += z;" : ""}
    }
    var row_max = largest(m);
    var denominator = total(s * exp(m - row_max));
    var row_sum = total(sum);`;
}

/** From row_max, denominator and row_sum: `class_`, `ignored`, `invalid` and `loss`. Differences first, to keep large logits exact. */
function loss(smoothed: boolean): string {
  const spread = smoothed ? " + u.smoothing * (row_max - row_sum / f32(u.classes))" : "";
  return `let label = targets[u.firstRow + row];
    let class_ = u32(clamp(label, 0, i32(u.classes) - 1));
    let ignored = label == u.ignoreIndex;
    let invalid = !ignored && label != i32(class_);
    var loss = log(denominator) + ${
    smoothed ? "(1.0 - u.smoothing) * " : ""
  }(row_max - logit(row, class_))${spread};
    loss = select(select(loss, u.nan, invalid), 0.0, ignored);`;
}

/** Second pass. */
function gradientPass(
  gradient: CrossEntropyRows["gradient"],
  T: string,
  smoothed: boolean,
  first: string,
  step: string,
): string {
  if (gradient === "none") return "";
  const target = gradient === "inPlace" ? "logits" : "gradient";
  const spread = smoothed ? ` - scale * u.smoothing / f32(u.classes)` : "";
  return `let scale = select(select(weight[0], u.nan, invalid), 0.0, ignored);
    let factor = scale / denominator;
    let hit = ${T}(scale${smoothed ? " * (1.0 - u.smoothing)" : ""});
    for (var k = ${first}; k < u.width; k += ${step}) {
      let i = row * u.width + k;
      let p = exp(logits[i] - row_max) * factor;
      ${target}[i] = p${spread} - select(${T}(0.0), hit, is_class(k, class_));
    }`;
}

function threadPerRow(
  gradient: CrossEntropyRows["gradient"],
  vector: boolean,
  smoothed: boolean,
): string {
  const T = vector ? "vec4f" : "f32";
  return `${functions(vector)}
@compute @workgroup_size(${ROWS_PER_WORKGROUP})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(num_workgroups) groups: vec3u) {
  let row = (group.y * groups.x + group.x) * ${ROWS_PER_WORKGROUP}u + lane;
  if (row < u.rows) {
    ${statistics(T, smoothed, "0u", "1u")}
    ${loss(smoothed)}
    losses[u.firstRow + row] = loss;
    ${gradientPass(gradient, T, smoothed, "0u", "1u")}
  }
}`;
}

function workgroupPerRow(
  gradient: CrossEntropyRows["gradient"],
  vector: boolean,
  smoothed: boolean,
  threads: number,
): string {
  const T = vector ? "vec4f" : "f32";
  return `${functions(vector)}
// (maximum, sum of exponentials relative to it, sum of logits)
var<workgroup> shared_: array<vec3f, ${threads}>;
fn merged(a: vec3f, b: vec3f) -> vec3f {
  let m = max(a.x, b.x);
  return vec3f(m, a.y * exp(a.x - m) + b.y * exp(b.x - m), a.z + b.z);
}
@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(num_workgroups) groups: vec3u) {
  let row = group.y * groups.x + group.x;
  if (row < u.rows) {
    ${statistics(T, smoothed, "lane", `${threads}u`)}
    shared_[lane] = vec3f(row_max, denominator, row_sum);
    workgroupBarrier();
    for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
      if (lane < half) { shared_[lane] = merged(shared_[lane], shared_[lane + half]); }
      workgroupBarrier();
    }
    row_max = shared_[0].x;
    denominator = shared_[0].y;
    row_sum = shared_[0].z;
    ${loss(smoothed)}
    if (lane == 0u) { losses[u.firstRow + row] = loss; }
    // Every thread has read the target's logit before one of them overwrites it.
    storageBarrier();
    workgroupBarrier();
    ${gradientPass(gradient, T, smoothed, "lane", `${threads}u`)}
  }
}`;
}
