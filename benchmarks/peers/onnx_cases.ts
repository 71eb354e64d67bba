import type { PeerCase } from "./cases.ts";
import type { CaseInputs } from "./inputs.ts";
import type { OnnxGraph, OnnxType, OnnxValue } from "./onnx_graph.ts";

/** A case as an ONNX graph with the data to feed it. */
export interface OnnxCase {
  readonly graph: OnnxGraph;
  /** Host arrays by input name. */
  readonly feeds: Readonly<Record<string, Float32Array | Int32Array>>;
  readonly notes: readonly string[];
}

/**
 * The graph of a case.
 *
 * @returns null for what an inference runtime has no graph for: gradients and training.
 */
export function onnxCase(spec: PeerCase, inputs: CaseInputs): OnnxCase | null {
  const value = (
    name: string,
    shape: readonly number[],
    type: OnnxType = "float32",
  ): OnnxValue => ({
    name,
    type,
    shape,
  });
  const pick = (...names: string[]) =>
    Object.fromEntries(names.map((name) => [name, inputs[name]]));
  const none: readonly string[] = [];
  switch (spec.operation) {
    case "matmul": {
      const { batch, m, k, n } = spec;
      const lead = batch > 1 ? [batch] : [];
      return {
        graph: {
          inputs: [value("a", [...lead, m, k]), value("b", [...lead, k, n])],
          outputs: [value("product", [...lead, m, n])],
          nodes: [{ op: "MatMul", inputs: ["a", "b"], outputs: ["product"] }],
        },
        feeds: pick("a", "b"),
        notes: none,
      };
    }
    case "attention": {
      if (spec.phase !== "forward") return null;
      const { heads, headDim, length, causal } = spec;
      const shape = [1, length, heads * headDim];
      return {
        graph: {
          inputs: ["q", "k", "v"].map((name) => value(name, shape)),
          outputs: [value("output", shape)],
          nodes: [{
            op: "MultiHeadAttention",
            domain: "com.microsoft",
            inputs: ["q", "k", "v"],
            outputs: ["output"],
            attributes: { num_heads: heads, unidirectional: causal ? 1 : 0 },
          }],
        },
        feeds: pick("q", "k", "v"),
        notes: ["contributed operator com.microsoft.MultiHeadAttention"],
      };
    }
    case "prefix-sum": {
      const shape = [1, spec.length, spec.width];
      return {
        graph: {
          inputs: [value("x", shape)],
          outputs: [value("sums", shape)],
          nodes: [{ op: "CumSum", inputs: ["x", "axis"], outputs: ["sums"] }],
          constants: [{ name: "axis", shape: [], values: [1] }],
        },
        feeds: pick("x"),
        notes: none,
      };
    }
    case "layer-norm": {
      const { rows, width } = spec;
      return {
        graph: {
          inputs: [value("x", [rows, width]), value("gain", [width]), value("offset", [width])],
          outputs: [value("normalized", [rows, width])],
          nodes: [{
            op: "LayerNormalization",
            inputs: ["x", "gain", "offset"],
            outputs: ["normalized"],
            attributes: { axis: -1, epsilon: { float: 1e-5 } },
          }],
        },
        feeds: pick("x", "gain", "offset"),
        notes: none,
      };
    }
    case "softmax": {
      const shape = [spec.rows, spec.width];
      return {
        graph: {
          inputs: [value("x", shape)],
          outputs: [value("probabilities", shape)],
          nodes: [{
            op: "Softmax",
            inputs: ["x"],
            outputs: ["probabilities"],
            attributes: { axis: -1 },
          }],
        },
        feeds: pick("x"),
        notes: none,
      };
    }
    case "cross-entropy": {
      if (spec.phase !== "forward") return null;
      const { rows, width, vocabulary } = spec;
      return {
        graph: {
          inputs: [
            value("hidden", [rows, width]),
            value("table", [vocabulary, width]),
            value("targets", [rows, 1], "int32"),
          ],
          outputs: [value("loss", [1])],
          nodes: [
            {
              op: "Gemm",
              inputs: ["hidden", "table"],
              outputs: ["logits"],
              attributes: { transB: 1 },
            },
            { op: "LogSoftmax", inputs: ["logits"], outputs: ["logs"], attributes: { axis: -1 } },
            {
              op: "GatherElements",
              inputs: ["logs", "targets"],
              outputs: ["chosen"],
              attributes: { axis: 1 },
            },
            {
              op: "ReduceMean",
              inputs: ["chosen"],
              outputs: ["mean"],
              attributes: { axes: [0, 1], keepdims: 1 },
            },
            { op: "Reshape", inputs: ["mean", "one"], outputs: ["flat"] },
            { op: "Neg", inputs: ["flat"], outputs: ["loss"] },
          ],
          constants: [{ name: "one", shape: [1], values: [1] }],
        },
        feeds: pick("hidden", "table", "targets"),
        notes: none,
      };
    }
    case "gpt2-step":
    case "gpt2-inference":
      // Inference is no graph with fixed inputs: see onnx_inference.ts.
      return null;
  }
}
