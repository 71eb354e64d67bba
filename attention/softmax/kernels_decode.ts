/**
 * Decoding with a key-value cache: one query row against all cached keys, split over threads by keys and combined in a second pass
 * (split-K, as in Flash-Decoding), so that one new token still fills the machine.
 *
 * Check: `deno test -A tests/attention/softmax/decode_test.ts`.
 */
import {
  f32,
  type Kernel,
  linearGrid,
  linearMain,
  read,
  type Uniform,
  write,
} from "../../engine/mod.ts";
import {
  dot,
  loadFunction,
  type OperandLayout,
  range,
  rowType,
  storeFunction,
  vectorsPerRow,
} from "./kernels_problem.ts";

const DECODE_WORKGROUP = 8;
const APPEND_WORKGROUP = 64;

const u32 = (name: string, value: number): Uniform => ({ name, type: "u32", value });

/** Sizes of one cache. */
export interface CacheShape {
  readonly B: number;
  /** Positions there is room for. */
  readonly maxT: number;
  readonly H: number;
  readonly d: number;
}

/**
 * Copies `count` new rows of k and v to `position` of the caches [B, maxT, H, d]. Bindings: k, v, kCache, vCache. A thread per vec4
 * (or element) of one of them.
 */
export function cacheAppendKernel(
  { B, maxT, H, d }: CacheShape,
  count: number,
  position: number,
  k: OperandLayout,
  v: OperandLayout,
): Kernel {
  const type = rowType(d);
  const unit = type === "vec4f" ? 4 : 1;
  const width = H * d / unit;
  const elements = B * count * width;
  return {
    name: "kv_cache_append",
    key: type,
    bindings: [read("k", type), read("v", type), write("kCache", type), write("vCache", type)],
    uniforms: [
      u32("elements", elements),
      u32("width", width),
      u32("count", count),
      u32("position", position),
      u32("maxT", maxT),
      u32("kOffset", k.offset / unit),
      u32("vOffset", v.offset / unit),
      u32("row", k.row / unit),
      u32("batch", k.batch / unit),
    ],
    grid: linearGrid(Math.ceil(elements / APPEND_WORKGROUP)),
    body: () =>
      `${linearMain(APPEND_WORKGROUP)}
  if (i < u.elements) {
    let column = i % u.width;
    let t = i / u.width % u.count;
    let b = i / u.width / u.count;
    let at = b * u.batch + t * u.row + column;
    let target_at = (b * u.maxT + u.position + t) * u.width + column;
    kCache[target_at] = k[u.kOffset + at];
    vCache[target_at] = v[u.vOffset + at];
  }
}`,
  };
}

/** One decoding step. */
export interface DecodeProblem extends CacheShape {
  /** Cached positions to attend to. */
  readonly length: number;
  /** Parts the keys are split into. */
  readonly parts: number;
  readonly scale: number;
  /** Where the query rows are. */
  readonly q: OperandLayout;
}

const decodeUniforms = ({ B, H, maxT, length, parts, scale, q, d }: DecodeProblem): Uniform[] => {
  const unit = d % 4 === 0 ? 4 : 1;
  return [
    u32("count", B * H * parts),
    u32("H", H),
    u32("maxT", maxT),
    u32("length", length),
    u32("parts", parts),
    u32("qOffset", q.offset / unit),
    u32("qBatch", q.batch / unit),
    f32("scale", scale),
  ];
};

/**
 * Partial result of every (batch, head, part): maximum and sum of exponentials in one vec4, then the unnormalised output row. Part p
 * takes keys p, p + parts, ..., so that neighbouring threads read neighbouring keys. Bindings: q, k, v, partial
 * [B, H, parts, 1 + C] of vec4.
 */
export function decodePartKernel(problem: DecodeProblem): Kernel {
  const { B, H, d, parts } = problem;
  const type = rowType(d);
  const C = vectorsPerRow(d);
  const headWidth = type === "vec4f" ? C : d;
  return {
    name: "decode_attention_part",
    key: `d${d}`,
    bindings: [read("q", type), read("k", type), read("v", type), write("partial", "vec4f")],
    uniforms: decodeUniforms(problem),
    grid: linearGrid(Math.ceil(B * H * parts / DECODE_WORKGROUP)),
    body: () =>
      `${["q", "k", "v"].map((name) => loadFunction(name, d)).join("\n")}
${linearMain(DECODE_WORKGROUP)}
  if (i >= u.count) { return; }
  let part = i % u.parts;
  let head = i / u.parts % u.H;
  let batch = i / u.parts / u.H;
  let qAt = u.qOffset + batch * u.qBatch + head * ${headWidth}u;
  ${
        range(C).map((c) => `let q_${c} = load_q(qAt, ${c}u) * u.scale; var o_${c} = vec4f();`)
          .join("\n")
      }
  var m = -1e29;
  var l = 0.0;
  for (var j = part; j < u.length; j += u.parts) {
    let at = ((batch * u.maxT + j) * u.H + head) * ${headWidth}u;
    ${dot("s", C, (c) => `q_${c}`, (c) => `load_k(at, ${c}u)`)}
    let highest = max(m, s);
    let shrink = exp(m - highest);
    let p = exp(s - highest);
    m = highest;
    l = fma(l, shrink, p);
    ${range(C).map((c) => `o_${c} = fma(vec4f(p), load_v(at, ${c}u), o_${c} * shrink);`).join("\n")}
  }
  let partialAt = i * ${C + 1}u;
  partial[partialAt] = vec4f(m, l, 0.0, 0.0);
  ${range(C).map((c) => `partial[partialAt + ${c + 1}u] = o_${c};`).join("\n")}
}`,
  };
}

/** Brings the parts of a head to one maximum, adds and normalises them in order. Bindings: partial, o [B, 1, H, d]. */
export function decodeCombineKernel(problem: DecodeProblem): Kernel {
  const { B, H, d } = problem;
  const type = rowType(d);
  const C = vectorsPerRow(d);
  return {
    name: "decode_attention_combine",
    key: `d${d}`,
    bindings: [read("partial", "vec4f"), write("o", type)],
    uniforms: [u32("count", B * H * C), u32("parts", problem.parts)],
    grid: linearGrid(Math.ceil(B * H * C / DECODE_WORKGROUP)),
    body: () =>
      `${storeFunction("o", d)}
${linearMain(DECODE_WORKGROUP)}
  if (i >= u.count) { return; }
  let c = i % ${C}u;
  let head = i / ${C}u;
  let first = head * u.parts * ${C + 1}u;
  var m = -1e29;
  for (var part = 0u; part < u.parts; part++) { m = max(m, partial[first + part * ${C + 1}u].x); }
  var l = 0.0;
  var sum = vec4f();
  for (var part = 0u; part < u.parts; part++) {
    let at = first + part * ${C + 1}u;
    let factor = exp(partial[at].x - m);
    l = fma(partial[at].y, factor, l);
    sum = fma(partial[at + 1u + c], vec4f(factor), sum);
  }
  store_o(head * ${type === "vec4f" ? C : d}u, c, sum / l);
}`,
  };
}
