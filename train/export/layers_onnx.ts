import type { OnnxGraph } from "./onnx_graph.ts";

/** Weights of a checkpoint by the model's own parameter names. */
export type WeightMap = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array }
>;

/** Adds a named weight to the graph; the same name again gives the same constant. */
export function weightNode(graph: OnnxGraph, weights: WeightMap, name: string): string {
  const { shape, data } = weights.get(name)!;
  return graph.weight(name, shape, data);
}

/** Layer norm over the last axis with epsilon 1e-5. */
export function normNode(graph: OnnxGraph, weights: WeightMap, name: string, x: string): string {
  const parts = [`${name}.weight`, `${name}.bias`].map((part) => weightNode(graph, weights, part));
  return graph.node("LayerNormalization", [x, ...parts], { axis: -1, epsilon: { float: 1e-5 } });
}

/** Logits [B, T, V] of hidden states [B, T, D] by the token table [V, D], which is stored once. */
export function tiedHeadNode(
  graph: OnnxGraph,
  hidden: string,
  table: string,
  { ids, width, vocabSize }: { ids: string; width: number; vocabSize: number },
): string {
  const rows = graph.node("Reshape", [hidden, graph.ints(-1, width)]);
  const logits = graph.node("Gemm", [rows, table], { transB: 1 });
  const shape = graph.node("Concat", [graph.node("Shape", [ids]), graph.ints(vocabSize)], {
    axis: 0,
  });
  return graph.node("Reshape", [logits, shape]);
}

/** Gathers rows of a table: token ids [B, T] or positions [B, T] give [B, T, D]. */
export function embedNode(graph: OnnxGraph, table: string, ids: string): string {
  return graph.node("Gather", [table, ids], { axis: 0 });
}

/** GELU in the tanh form: x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
export function geluTanhNode(graph: OnnxGraph, x: string): string {
  const cube = graph.node("Pow", [x, graph.float(3)]);
  const inner = graph.node("Add", [x, graph.node("Mul", [cube, graph.float(0.044715)])]);
  const tanh = graph.node("Tanh", [
    graph.node("Mul", [inner, graph.float(Math.sqrt(2 / Math.PI))]),
  ]);
  const half = graph.node("Mul", [x, graph.float(0.5)]);
  return graph.node("Mul", [half, graph.node("Add", [tanh, graph.float(1)])]);
}

/** GELU by the error function: x / 2 (1 + erf(x / sqrt(2))). */
export function geluNode(graph: OnnxGraph, x: string): string {
  const erf = graph.node("Erf", [graph.node("Div", [x, graph.float(Math.SQRT2)])]);
  const sum = graph.node("Add", [erf, graph.float(1)]);
  return graph.node("Mul", [graph.node("Mul", [x, sum]), graph.float(0.5)]);
}
