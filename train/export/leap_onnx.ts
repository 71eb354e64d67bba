import {
  leapFeatures,
  MAX_WEIGHT,
  NORM_EPSILON,
  WEIGHT_SUM_EPSILON,
} from "../../attention/leap/options.ts";
import { type LeapConfig, leapWindows } from "../../models/mod.ts";
import {
  embedNode,
  geluNode,
  normNode,
  tiedHeadNode,
  type WeightMap,
  weightNode,
} from "./layers_onnx.ts";
import { windowedSumNode } from "./leap_window_onnx.ts";
import { OnnxGraph } from "./onnx_graph.ts";

/** Keeps 0 / 0 of a window without weight at 0. */
const SMALLEST_SUM = 1e-37;

/**
 * A LEAP model as an ONNX graph over whole sequences, in the plain form of attention/leap/naive.ts.
 *
 * Inputs `input_ids` and `attention_mask` (1 for real tokens) [B, T] of i64; output `logits` [B, T, V]. Positions count from 0, so padding
 * belongs behind the text.
 */
export function leapOnnx(config: LeapConfig, weights: WeightMap): OnnxGraph {
  const { vocabSize, width, heads, layers, positions, variant = "2022-08" } = config;
  const { localAttention = true } = config;
  const windows = leapWindows({
    variant,
    layers,
    positions,
    localAttention,
    // A resolved configuration lists them in either case.
    windows: localAttention ? config.windows : undefined,
  });
  const graph = new OnnxGraph("leap");
  const shape = ["batch_size", "sequence_length"];
  const ids = graph.input("input_ids", "int64", shape);
  const mask = graph.input("attention_mask", "int64", shape);
  const length = graph.node("Gather", [graph.node("Shape", [ids]), graph.int(1)], { axis: 0 });
  const real = graph.node("Unsqueeze", [
    graph.node("Greater", [mask, graph.int(0)]),
    graph.ints(2, 3),
  ]);
  const linear = (x: string, name: string) => {
    const transposed = graph.node("Transpose", [weightNode(graph, weights, `${name}.weight`)]);
    const product = graph.node("MatMul", [x, transposed]);
    const bias = `${name}.bias`;
    return weights.has(bias)
      ? graph.node("Add", [product, weightNode(graph, weights, bias)])
      : product;
  };
  const table = weightNode(graph, weights, "token_embedding.weight");
  const places = graph.node("Range", [graph.int(0), length, graph.int(1)]);
  let x = graph.node("Add", [
    embedNode(graph, table, ids),
    embedNode(graph, weightNode(graph, weights, "position_embedding.weight"), places),
  ]);
  for (let i = 0; i < layers; i++) {
    const name = `blocks.${i}`;
    const normed = normNode(graph, weights, `${name}.attention_norm`, x);
    const packed = graph.node("Reshape", [
      linear(normed, `${name}.projection`),
      graph.ints(0, 0, 4, heads, width / heads),
    ]);
    const window = windows[i];
    const mixed = attend(graph, packed, {
      ...leapFeatures({ variant, d: width / heads, rescale: config.rescale }),
      d: width / heads,
      real,
      windowed: (y) => windowedSumNode(graph, y, { window, positions, length, heads }),
    });
    x = graph.node("Add", [x, graph.node("Reshape", [mixed, graph.ints(0, 0, width)])]);
    // The 2022-08 revision sends the MLP input through the attention's norm first.
    const once = variant === "2022-08" ? normNode(graph, weights, `${name}.attention_norm`, x) : x;
    const inner = linear(normNode(graph, weights, `${name}.mlp_norm`, once), `${name}.mlp_in`);
    x = graph.node("Add", [x, linear(geluNode(graph, inner), `${name}.mlp_out`)]);
  }
  const hidden = normNode(graph, weights, "final_norm", x);
  const logits = tiedHeadNode(graph, hidden, table, { ids, width, vocabSize });
  graph.output(logits, "logits", "float32", [...shape, vocabSize]);
  return graph;
}

/** LEAP of a packed projection [B, T, 4, H, d]; gives [B, T, H, d]. */
function attend(
  graph: OnnxGraph,
  packed: string,
  call: ReturnType<typeof leapFeatures> & {
    readonly d: number;
    /** [B, T, 1, 1], true for real tokens. */
    readonly real: string;
    readonly windowed: (x: string) => string;
  },
): string {
  const { d, real, windowed, normed, hasKey, weight, logitScale, gateScale } = call;
  const scale = (x: string, factor: number) => graph.node("Mul", [x, graph.float(factor)]);
  const dot = (a: string, b: string) =>
    graph.node("ReduceSum", [graph.node("Mul", [a, b]), graph.ints(-1)], { keepdims: 1 });
  const slots = [0, 1, 2, 3].map((slot) => {
    const heads = graph.node("Gather", [packed, graph.int(slot)], { axis: 2 });
    const isFocus = slot === 1 || slot === 2;
    const isNormed = normed === "all" || (normed === "focus" && isFocus);
    return isNormed ? headNorm(graph, heads, d) : heads;
  });
  const [q, f, k, v] = slots;
  const logit = scale(dot(f, k), logitScale);
  const e = graph.node("Where", [real, weightOf(graph, logit, weight), graph.float(0)]);
  const sums = windowed(e);
  const z = hasKey
    ? graph.node("Add", [sums, graph.float(WEIGHT_SUM_EPSILON)])
    : graph.node("Max", [sums, graph.float(SMALLEST_SUM)]);
  const average = (x: string) => graph.node("Div", [windowed(graph.node("Mul", [e, x])), z]);
  const value = average(v);
  const gate = graph.node("Sigmoid", [scale(dot(q, hasKey ? average(k) : value), gateScale)]);
  return graph.node("Mul", [gate, value]);
}

/** Weight of a logit. */
function weightOf(
  graph: OnnxGraph,
  logit: string,
  weight: ReturnType<typeof leapFeatures>["weight"],
): string {
  const atMost = (limit: number) => graph.node("Min", [logit, graph.float(limit)]);
  switch (weight) {
    case "exp":
      return graph.node("Exp", [logit]);
    case "capped exp":
      return graph.node("Exp", [atMost(Math.log(MAX_WEIGHT))]);
    case "elu + 1":
      // exp(l) for l <= 0 and l + 1 above, without the 1 that cancels.
      return graph.node("Add", [
        graph.node("Exp", [atMost(0)]),
        graph.node("Max", [logit, graph.float(0)]),
      ]);
  }
}

/** (x - mean) / (std + epsilon) over the head width, std with Bessel's correction. */
function headNorm(graph: OnnxGraph, x: string, d: number): string {
  const mean = graph.node("ReduceMean", [x], { axes: [-1], keepdims: 1 });
  const centred = graph.node("Sub", [x, mean]);
  const squares = graph.node("ReduceSum", [
    graph.node("Mul", [centred, centred]),
    graph.ints(-1),
  ], { keepdims: 1 });
  const std = graph.node("Sqrt", [graph.node("Mul", [squares, graph.float(1 / (d - 1))])]);
  return graph.node("Div", [centred, graph.node("Add", [std, graph.float(NORM_EPSILON)])]);
}
