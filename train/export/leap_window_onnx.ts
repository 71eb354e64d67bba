import type { OnnxGraph } from "./onnx_graph.ts";

/** What a windowed sum needs to know. */
export interface WindowedSum {
  /** Tokens a sum covers, its own included. */
  readonly window: number;
  /** Longest sequence; a window of that many tokens never ends. */
  readonly positions: number;
  /** Scalar T, known when the graph runs. */
  readonly length: string;
  readonly heads: number;
}

/**
 * Sums of the last `window` elements along axis 1 of [B, T, H, n], n = 1 or d. Time is cut into blocks of `window`, so that a window is
 * the rest of one block, summed from its end, and the beginning of the next: nothing is subtracted and no digits cancel.
 */
export function windowedSumNode(
  graph: OnnxGraph,
  x: string,
  { window, positions, length, heads }: WindowedSum,
): string {
  if (window >= positions) return graph.node("CumSum", [x, graph.int(1)]);
  const width = graph.int(window);
  // (window - T mod window) mod window elements complete the last block.
  const missing = graph.node("Mod", [
    graph.node("Sub", [width, graph.node("Mod", [length, width])]),
    width,
  ]);
  const vector = (scalar: string) => graph.node("Unsqueeze", [scalar, graph.ints(0)]);
  const pads = graph.node("Concat", [
    graph.ints(0, 0, 0, 0, 0),
    vector(missing),
    graph.ints(0, 0),
  ], { axis: 0 });
  const shapeOf = (...lead: number[]) => {
    const last = graph.node("Gather", [graph.node("Shape", [x]), graph.ints(3)], { axis: 0 });
    return graph.node("Concat", [graph.ints(...lead, heads), last], { axis: 0 });
  };
  // 0 keeps B, -1 is what is left over: the number of blocks, then the padded length.
  const blocks = graph.node("Reshape", [graph.node("Pad", [x, pads]), shapeOf(0, -1, window)]);
  const joined = (attributes: Record<string, number>) =>
    graph.node("Reshape", [
      graph.node("CumSum", [blocks, graph.int(2)], attributes),
      shapeOf(0, -1),
    ]);
  const untilEnd = (y: string) =>
    graph.node("Slice", [y, graph.ints(0), vector(length), graph.ints(1)]);
  const begin = joined({});
  const rest = joined({ exclusive: 1, reverse: 1 });
  const delayed = graph.node("Pad", [rest, graph.ints(0, window, 0, 0, 0, 0, 0, 0)]);
  return graph.node("Add", [untilEnd(begin), untilEnd(delayed)]);
}
