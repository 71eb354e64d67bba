import { type Kernel, linearGrid, linearMain, read, u32, write } from "../../../engine/mod.ts";
import type { Chunks } from "../chunks.ts";
import type { LeapProblem } from "../options.ts";
import { headVectors, problemKey, problemText, problemUniforms, unroll } from "./text.ts";

/** The sequence a windowed scan sums: per head and token M vectors and one scalar. */
export interface Items {
  /** Label in kernel names. */
  readonly name: string;
  /** Number of summed vectors, M. */
  readonly vectors: number;
  /** Sums run from the last token to the first. */
  readonly reverse: boolean;
  readonly bindings: Kernel["bindings"];
  /** WGSL expression of vector n of head r. */
  readonly vector: (n: number) => string;
  /** WGSL expression of the scalar of head r. */
  readonly scalar: string;
  /** Statements run before the expressions. */
  readonly prepare?: string;
}

/** What happens with the sum of the window of each token. */
export interface Consumer {
  /** Bindings that the items do not declare already. */
  readonly bindings: Kernel["bindings"];
  /** Places that hold the sum over the older part of the window until the token's own chunk is walked; all are overwritten. */
  readonly scratchVector: (n: number) => string;
  readonly scratchScalar: string;
  /** Statements that use the sums t0, t1, ... and tz of head r. */
  readonly finish: string;
}

const position = (reverse: boolean) => reverse ? "u.time - 1u - u32(step)" : "u32(step)";

/** Function text: the number r of the head of `row` at a step of the scan. */
const headAt = (reverse: boolean) =>
  `fn head_at(row: u32, step: i32) -> u32 {
  return ((row / u.heads) * u.time + ${position(reverse)}) * u.heads + row % u.heads;
}`;

const accumulate = ({ vectors, vector, scalar, prepare }: Items) =>
  `${prepare ?? ""}
    ${unroll(vectors, (n) => `s${n} += ${vector(n)};`, "\n    ")}
    sz += ${scalar};`;

/** Sums of every chunk: totals [B H, chunks, M + 1] vectors, the scalar in the first channel of the last. */
export function chunkTotalsKernel(
  problem: LeapProblem,
  chunks: Chunks,
  items: Items,
  workgroup: number,
): Kernel {
  const rows = problem.B * problem.H;
  const M = items.vectors;
  return {
    name: `leap_totals_${items.name}`,
    key: `${problemKey(problem)} ${workgroup}`,
    bindings: [...items.bindings, write("totals", headVectors(problem.d).type)],
    uniforms: [
      ...problemUniforms(problem),
      u32("chunks", chunks.count),
      u32("chunk_length", chunks.length),
    ],
    grid: linearGrid(Math.ceil(rows * chunks.count / workgroup)),
    body: () =>
      `${problemText(problem)}
${headAt(items.reverse)}
${linearMain(workgroup)}
  if (i >= u.rows * u.chunks) { return; }
  let row = i / u.chunks;
  let begin = (i % u.chunks) * u.chunk_length;
  let end = i32(min(begin + u.chunk_length, u.time));
  ${unroll(M, (n) => `var s${n} = V();`)}
  var sz = 0.0;
  for (var step = i32(begin); step < end; step++) {
    let r = head_at(row, step);
    ${accumulate(items)}
  }
  ${unroll(M, (n) => `totals[i * ${M + 1}u + ${n}u] = s${n};`)}
  totals[i * ${M + 1}u + ${M}u] = V(sz);
}`,
  };
}

/**
 * base[c] = totals[c - whole] + ... + totals[c - 1], by the two-stack scheme over blocks of `whole` chunks: a thread owns one vector
 * of one block, walks the block before it backwards for the suffixes and then its own block forwards for the prefixes.
 */
export function chunkBaseKernel(
  problem: LeapProblem,
  chunks: Chunks,
  vectors: number,
  workgroup: number,
): Kernel {
  const { type } = headVectors(problem.d);
  const blocks = Math.ceil(chunks.count / chunks.whole);
  const threads = problem.B * problem.H * blocks * (vectors + 1);
  return {
    name: "leap_chunk_base",
    key: `${type} ${workgroup}`,
    bindings: [read("totals", type), write("base", type)],
    uniforms: [
      u32("threads", threads),
      u32("vectors", vectors + 1),
      u32("blocks", blocks),
      u32("chunks", chunks.count),
      u32("whole", chunks.whole),
    ],
    grid: linearGrid(Math.ceil(threads / workgroup)),
    body: () =>
      `${linearMain(workgroup)}
  if (i >= u.threads) { return; }
  let first = (i / u.vectors / u.blocks) * u.chunks * u.vectors + i % u.vectors;
  let begin = ((i / u.vectors) % u.blocks) * u.whole;
  let end = min(begin + u.whole, u.chunks);
  var sum = ${type}();
  for (var back = 1u; back <= u.whole; back++) {
    if (begin >= back) { sum += totals[first + (begin - back) * u.vectors]; }
    let chunk = begin + u.whole - back;
    if (chunk < end) { base[first + chunk * u.vectors] = sum; }
  }
  sum = ${type}();
  for (var chunk = begin; chunk < end; chunk++) {
    base[first + chunk * u.vectors] += sum;
    sum += totals[first + chunk * u.vectors];
  }
}`,
  };
}

/**
 * Gives every token the sum of its window's items. A thread owns one chunk of one head row.
 *
 * A window is (suffix of an old chunk) + (whole chunks, from `base`) + (prefix of this chunk). Nothing is ever subtracted, so the
 * error does not grow with T. The suffixes are made first, walking backwards, and wait in the consumer's own output.
 */
export function windowScanKernel(
  problem: LeapProblem,
  chunks: Chunks,
  items: Items,
  consumer: Consumer,
  workgroup: number,
): Kernel {
  const rows = problem.B * problem.H;
  const M = items.vectors;
  const { windowed } = chunks;
  const hasBase = needsTotals(chunks);
  const scratch = (value: (n: number) => string, scalar: string) =>
    `${unroll(M, (n) => `${consumer.scratchVector(n)} = ${value(n)};`, "\n    ")}
    ${consumer.scratchScalar} = ${scalar};`;
  const old = () => `
  let window = i32(u.window);
  let top = begin - i32(u.span);
  for (var step = max(begin, max(top, 0) + window - 1); step < end; step++) {
    let r = head_at(row, step);
    ${scratch(() => "V()", "0.0")}
  }
  for (var old = top - 1; old >= max(begin + 1 - window, 0); old--) {
    {
      let r = head_at(row, old);
      ${accumulate(items)}
    }
    let step = old + window - 1;
    if (step < end) {
      let r = head_at(row, step);
      ${scratch((n) => `s${n}`, "sz")}
    }
  }
  for (var step = begin; step < min(end, window - 1); step++) {
    let r = head_at(row, step);
    ${scratch((n) => `s${n}`, "sz")}
  }
  ${unroll(M, (n) => `s${n} = V();`)}
  sz = 0.0;`;
  return {
    name: `leap_window_${items.name}${windowed ? "" : "_global"}`,
    key: `${problemKey(problem)} ${workgroup}${hasBase ? " base" : ""}`,
    bindings: [
      ...items.bindings,
      ...(hasBase ? [read("base", headVectors(problem.d).type)] : []),
      ...consumer.bindings,
    ],
    uniforms: [
      ...problemUniforms(problem),
      u32("chunks", chunks.count),
      u32("chunk_length", chunks.length),
      u32("window", problem.window),
      u32("span", chunks.whole * chunks.length),
    ],
    grid: linearGrid(Math.ceil(rows * chunks.count / workgroup)),
    body: () =>
      `${problemText(problem)}
${headAt(items.reverse)}
${linearMain(workgroup)}
  if (i >= u.rows * u.chunks) { return; }
  let row = i / u.chunks;
  let begin = i32((i % u.chunks) * u.chunk_length);
  let end = min(begin + i32(u.chunk_length), i32(u.time));
  ${unroll(M, (n) => `var s${n} = V();`)}
  var sz = 0.0;
  ${windowed ? old() : ""}
  ${
        hasBase
          ? `${unroll(M, (n) => `s${n} = base[i * ${M + 1}u + ${n}u];`)}
  sz = base[i * ${M + 1}u + ${M}u]${headVectors(problem.d).width > 1 ? ".x" : ""};`
          : ""
      }
  for (var step = begin; step < end; step++) {
    let r = head_at(row, step);
    ${accumulate(items)}
    ${
        unroll(
          M,
          (n) => `let t${n} = s${n}${windowed ? ` + ${consumer.scratchVector(n)}` : ""};`,
          "\n    ",
        )
      }
    let tz = sz${windowed ? ` + ${consumer.scratchScalar}` : ""};
    ${consumer.finish}
  }
}`,
  };
}

/** True when windows span whole chunks, so that chunk totals have to be made first. */
export function needsTotals({ windowed, whole, count }: Chunks): boolean {
  return windowed ? whole > 0 : count > 1;
}
