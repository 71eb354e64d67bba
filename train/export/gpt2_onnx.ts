import type { Gpt2Config } from "../../models/mod.ts";
import {
  embedNode,
  geluTanhNode,
  normNode,
  tiedHeadNode,
  type WeightMap,
  weightNode,
} from "./layers_onnx.ts";
import { OnnxGraph } from "./onnx_graph.ts";

/** Score of a key that a query must not see; finite, so that a row without keys stays finite too. */
const HIDDEN_SCORE = -1e9;

/**
 * GPT-2 as an ONNX graph that decodes with a cache.
 *
 * Inputs, P past and T new tokens: `input_ids` [B, T], `attention_mask` [B, P + T] (1 for real tokens), `position_ids` [B, T], all i64,
 * and `past_key_values.<layer>.key|value` [B, H, P, d] with P = 0 for a first call. Outputs: `logits` [B, T, V] and
 * `present.<layer>.key|value` [B, H, P + T, d], to be given back as the past. These are the names that Hugging Face's runtimes look for.
 */
export function gpt2Onnx(config: Gpt2Config, weights: WeightMap): OnnxGraph {
  const { vocabSize, width, heads, layers } = config;
  const graph = new OnnxGraph("gpt2");
  const batch = "batch_size";
  const ids = graph.input("input_ids", "int64", [batch, "sequence_length"]);
  const mask = graph.input("attention_mask", "int64", [batch, "total_sequence_length"]);
  const positions = graph.input("position_ids", "int64", [batch, "sequence_length"]);
  const cache = (length: string) => [batch, heads, length, width / heads];
  const past = Array.from(
    { length: layers },
    (_, i) =>
      ["key", "value"].map((part) =>
        graph.input(`past_key_values.${i}.${part}`, "float32", cache("past_sequence_length"))
      ),
  );
  const weight = (name: string) => weightNode(graph, weights, name);
  const linear = (x: string, name: string) =>
    graph.node("Add", [
      graph.node("MatMul", [x, weight(`${name}.weight`)]),
      weight(`${name}.bias`),
    ]);

  const visible = visibleKeys(graph, ids, mask);
  const table = weight("wte.weight");
  let x = graph.node("Add", [
    embedNode(graph, table, ids),
    embedNode(graph, weight("wpe.weight"), positions),
  ]);
  const present: string[][] = [];
  for (let i = 0; i < layers; i++) {
    const qkv = linear(normNode(graph, weights, `h.${i}.ln_1`, x), `h.${i}.attn.c_attn`);
    const [q, k, v] = splitHeads(graph, qkv, width, heads);
    const key = graph.node("Concat", [past[i][0], k], { axis: 2 });
    const value = graph.node("Concat", [past[i][1], v], { axis: 2 });
    present.push([key, value]);
    const mixed = attend(graph, { q, key, value, visible }, width, heads);
    x = graph.node("Add", [x, linear(mixed, `h.${i}.attn.c_proj`)]);
    const inner = linear(normNode(graph, weights, `h.${i}.ln_2`, x), `h.${i}.mlp.c_fc`);
    x = graph.node("Add", [x, linear(geluTanhNode(graph, inner), `h.${i}.mlp.c_proj`)]);
  }
  const hidden = normNode(graph, weights, "ln_f", x);
  graph.output(
    tiedHeadNode(graph, hidden, table, { ids, width, vocabSize }),
    "logits",
    "float32",
    [batch, "sequence_length", vocabSize],
  );
  present.forEach(([key, value], i) => {
    graph.output(key, `present.${i}.key`, "float32", cache("total_sequence_length"));
    graph.output(value, `present.${i}.value`, "float32", cache("total_sequence_length"));
  });
  return graph;
}

/** [B, 1, T, S] of truth values: the key is real and not after the query, S = P + T. */
function visibleKeys(graph: OnnxGraph, ids: string, mask: string): string {
  const size = (value: string) =>
    graph.node("Gather", [graph.node("Shape", [value]), graph.int(1)], { axis: 0 });
  const total = size(mask);
  const first = graph.node("Sub", [total, size(ids)]);
  const keys = graph.node("Range", [graph.int(0), total, graph.int(1)]);
  const queries = graph.node("Unsqueeze", [
    graph.node("Range", [first, total, graph.int(1)]),
    graph.ints(1),
  ]);
  const causal = graph.node("GreaterOrEqual", [queries, keys]);
  const real = graph.node("Unsqueeze", [
    graph.node("Greater", [mask, graph.int(0)]),
    graph.ints(1, 2),
  ]);
  return graph.node("And", [causal, real]);
}

/** q, k and v [B, H, T, d] of a packed projection [B, T, 3 D]. */
function splitHeads(graph: OnnxGraph, qkv: string, width: number, heads: number): string[] {
  // 0 keeps a dimension.
  const shape = graph.ints(0, 0, heads, width / heads);
  return [0, 1, 2].map((part) => {
    const rows = graph.node("Slice", [
      qkv,
      graph.ints(part * width),
      graph.ints((part + 1) * width),
      graph.ints(2),
    ]);
    return graph.node("Transpose", [graph.node("Reshape", [rows, shape])], { perm: [0, 2, 1, 3] });
  });
}

/** Softmax attention; [B, T, D]. */
function attend(
  graph: OnnxGraph,
  { q, key, value, visible }: Record<"q" | "key" | "value" | "visible", string>,
  width: number,
  heads: number,
): string {
  const keys = graph.node("Transpose", [key], { perm: [0, 1, 3, 2] });
  const scores = graph.node("Mul", [
    graph.node("MatMul", [q, keys]),
    graph.float(1 / Math.sqrt(width / heads)),
  ]);
  const seen = graph.node("Where", [visible, scores, graph.float(HIDDEN_SCORE)]);
  const mixed = graph.node("MatMul", [graph.node("Softmax", [seen], { axis: -1 }), value]);
  const rows = graph.node("Transpose", [mixed], { perm: [0, 2, 1, 3] });
  return graph.node("Reshape", [rows, graph.ints(0, 0, width)]);
}
