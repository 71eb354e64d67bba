import { type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";

/** Elements along the axis that one thread adds up. */
export const SCAN_CHUNK = 64;

/** x read as [outer, length, inner], scanned along `length` in chunks. */
export interface ScanProblem {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  /** Elements of the axis per thread; `length` makes the scan sequential. */
  readonly chunk: number;
  /** From the last element to the first. */
  readonly reverse: boolean;
  /** Sums leave out the element itself. */
  readonly exclusive: boolean;
  /** Starts each chunk from a tensor [outer, chunks, inner] instead of 0. */
  readonly carry: boolean;
}

interface Layout {
  readonly type: "vec4f" | "f32";
  /** Vectors (or elements) side by side. */
  readonly width: number;
  readonly chunks: number;
}

function layout({ length, inner, chunk }: ScanProblem): Layout {
  const vector = inner % 4 === 0;
  return {
    type: vector ? "vec4f" : "f32",
    width: vector ? inner / 4 : inner,
    chunks: Math.ceil(length / chunk),
  };
}

function kernel(
  problem: ScanProblem,
  workgroupSize: number,
  parts: Pick<Kernel, "name" | "bindings"> & {
    key: string;
    prologue: string;
    step: string;
    epilogue: string;
  },
): Kernel {
  const { type, width, chunks } = layout(problem);
  const { outer, length, chunk, reverse } = problem;
  const threads = outer * chunks * width;
  const { name, bindings, key, prologue, step, epilogue } = parts;
  return {
    name,
    key: `${type} ${workgroupSize} ${reverse ? "reverse" : ""} ${key}`,
    bindings,
    uniforms: [
      u32("threads", threads),
      u32("length", length),
      u32("width", width),
      u32("chunks", chunks),
      u32("chunk", chunk),
    ],
    grid: linearGrid(Math.ceil(threads / workgroupSize)),
    body: () =>
      `${linearMain(workgroupSize)}
  if (i < u.threads) {
    let line = i / u.width;
    let first = (line / u.chunks * u.length) * u.width + i % u.width;
    let start = line % u.chunks * u.chunk;
    let end = min(start + u.chunk, u.length);
    ${prologue.replaceAll("TYPE", type)}
    for (var t = start; t < end; t++) {
      let at = first + ${reverse ? "(u.length - 1u - t)" : "t"} * u.width;
      ${step}
    }
    ${epilogue}
  }
}`,
  };
}

/** totals [outer, chunks, inner]: the sum of each chunk. With `reverse`, chunk 0 is the last part of the axis. */
export function scanTotalsKernel(problem: ScanProblem, workgroupSize: number): Kernel {
  const { type } = layout(problem);
  return kernel(problem, workgroupSize, {
    name: "cumsum_totals",
    key: "",
    bindings: [read("x", type), write("totals", type)],
    prologue: "var sum = TYPE();",
    step: "sum += x[at];",
    epilogue: "totals[i] = sum;",
  });
}

/** y: running sums within each chunk, starting from its carry. */
export function scanKernel(problem: ScanProblem, workgroupSize: number): Kernel {
  const { type } = layout(problem);
  const { exclusive, carry } = problem;
  return kernel(problem, workgroupSize, {
    name: "cumsum",
    key: `${exclusive ? "exclusive" : ""} ${carry ? "carry" : ""}`,
    bindings: [read("x", type), ...(carry ? [read("carry", type)] : []), write("y", type)],
    prologue: carry ? "var sum = carry[i];" : "var sum = TYPE();",
    step: exclusive ? "y[at] = sum; sum += x[at];" : "sum += x[at]; y[at] = sum;",
    epilogue: "",
  });
}
