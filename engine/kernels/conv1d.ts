import { type Kernel, linearGrid, linearMain, read, u32, type Uniform, write } from "../kernel.ts";

/** Sizes of the windows of a one-dimensional convolution. */
export interface Windows {
  readonly batch: number;
  readonly channels: number;
  /** Positions of the signal. */
  readonly length: number;
  /** Windows, the positions of the result. */
  readonly count: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  /** Signal [B, L, C] and columns [B, count, K, C]; otherwise [B, C, L] and [B, C, K, count]. */
  readonly channelsLast: boolean;
}

const WORKGROUP = 256;

function uniforms(windows: Windows, count: number): Uniform[] {
  const { channels, length, count: columns, kernel, stride, padding } = windows;
  return [
    u32("count", count),
    u32("channels", channels),
    u32("length", length),
    u32("columns", columns),
    u32("kernel", kernel),
    u32("stride", stride),
    u32("padding", padding),
  ];
}

/** Copies every window of the signal into a column; positions in the padding give 0. */
export function unfold1dKernel(windows: Windows): Kernel {
  const { batch, channels, count, kernel, channelsLast } = windows;
  const total = batch * channels * count * kernel;
  return {
    name: "unfold1d",
    key: channelsLast ? "last" : "first",
    bindings: [read("x"), write("y")],
    uniforms: uniforms(windows, total),
    grid: linearGrid(Math.ceil(total / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i >= u.count) { return; }
${
        channelsLast
          ? `  let c = i % u.channels;
  let k = i / u.channels % u.kernel;
  let column = i / (u.channels * u.kernel) % u.columns;
  let b = i / (u.channels * u.kernel * u.columns);`
          : `  let column = i % u.columns;
  let k = i / u.columns % u.kernel;
  let c = i / (u.columns * u.kernel) % u.channels;
  let b = i / (u.columns * u.kernel * u.channels);`
      }
  let shifted = column * u.stride + k;
  var value = 0.0;
  if (shifted >= u.padding && shifted < u.padding + u.length) {
    let l = shifted - u.padding;
    value = x[${
        channelsLast ? "(b * u.length + l) * u.channels + c" : "(b * u.channels + c) * u.length + l"
      }];
  }
  y[i] = value;
}`,
  };
}

/** Sums what the columns say of each position of the signal: the adjoint of the unfolding. One thread a position, in fixed order. */
export function fold1dKernel(windows: Windows): Kernel {
  const { batch, channels, length, channelsLast } = windows;
  const total = batch * channels * length;
  return {
    name: "fold1d",
    key: channelsLast ? "last" : "first",
    bindings: [read("x"), write("y")],
    uniforms: uniforms(windows, total),
    grid: linearGrid(Math.ceil(total / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i >= u.count) { return; }
${
        channelsLast
          ? `  let c = i % u.channels;
  let l = i / u.channels % u.length;
  let b = i / (u.channels * u.length);`
          : `  let l = i % u.length;
  let c = i / u.length % u.channels;
  let b = i / (u.channels * u.length);`
      }
  let shifted = l + u.padding;
  var value = 0.0;
  for (var k = 0u; k < u.kernel && k <= shifted; k++) {
    let start = shifted - k;
    let column = start / u.stride;
    if (start % u.stride == 0u && column < u.columns) {
      value += x[${
        channelsLast
          ? "((b * u.columns + column) * u.kernel + k) * u.channels + c"
          : "((b * u.channels + c) * u.kernel + k) * u.columns + column"
      }];
    }
  }
  y[i] = value;
}`,
  };
}
