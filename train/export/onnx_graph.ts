/** Building ONNX graphs (Open Neural Network Exchange) one operation at a time, and writing them with `onnx-buf`. */

/** Element types used here. */
export type OnnxType = "float32" | "int64" | "bool";

/** An input or output of the model; a dimension is a number or the name of one that varies. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[];
}

/** Value of an attribute: an integer, a float (wrapped, since 1.0 is an integer too) or integers. */
export type OnnxAttribute = number | { readonly float: number } | readonly number[];

/** One operation of the standard operator set. */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A constant: weights (f32) or shape arithmetic (i64). */
export interface OnnxConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** Operator set of the graphs, the first one with LayerNormalization. */
const OPSET = 17;
/** Format version that belongs to it. */
const IR_VERSION = 8;
/** A protobuf message cannot be longer. */
const MAX_BYTES = 2 ** 31 - 1;

/** Collects the parts of a graph; every value has a name, which the methods return. */
export class OnnxGraph {
  readonly inputs: OnnxValue[] = [];
  readonly outputs: OnnxValue[] = [];
  readonly nodes: OnnxNode[] = [];
  readonly constants = new Map<string, OnnxConstant>();

  /** @param name Name of the graph, for viewers. */
  constructor(readonly name: string) {}

  /** Declares an input. */
  input(name: string, type: OnnxType, shape: OnnxValue["shape"]): string {
    this.inputs.push({ name, type, shape });
    return name;
  }

  /** Makes a value an output under another name. */
  output(value: string, name: string, type: OnnxType, shape: OnnxValue["shape"]): void {
    this.nodes.push({ op: "Identity", inputs: [value], output: name, attributes: {} });
    this.outputs.push({ name, type, shape });
  }

  /** Adds an operation with one result. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const output = `${op}_${this.nodes.length}`;
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  }

  /** Adds a weight. */
  weight(name: string, shape: readonly number[], data: Float32Array): string {
    this.constants.set(name, { name, shape, data });
    return name;
  }

  /** A scalar f32 constant, made once. */
  float(value: number): string {
    return this.#constant(`float_${value}`, [], () => Float32Array.of(value));
  }

  /** A vector of i64 constants, made once. */
  ints(...values: number[]): string {
    const data = () => BigInt64Array.from(values.map(BigInt));
    return this.#constant(`ints_${values.join("_")}`, [values.length], data);
  }

  /** A scalar i64 constant, made once. */
  int(value: number): string {
    return this.#constant(`int_${value}`, [], () => BigInt64Array.of(BigInt(value)));
  }

  #constant(name: string, shape: number[], data: () => OnnxConstant["data"]): string {
    if (!this.constants.has(name)) this.constants.set(name, { name, shape, data: data() });
    return name;
  }
}

/**
 * Writes a graph as an ONNX file.
 *
 * @throws {RangeError} If the weights do not fit the 2 GiB of the format.
 */
export async function encodeOnnx(graph: OnnxGraph, producer: string): Promise<Uint8Array> {
  const bytes = [...graph.constants.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  if (bytes > MAX_BYTES) {
    throw new RangeError(
      `Cannot write ${graph.name} as ONNX: its weights are ${bytes} bytes, expected at most ` +
        `${MAX_BYTES} in one file; use model.safetensors`,
    );
  }
  // On request only: nothing but the exporter needs the package.
  const [onnx, { create, toBinary }] = await Promise.all([
    import("onnx-buf"),
    import("@bufbuild/protobuf"),
  ]);
  const types = onnx.TensorProto_DataType;
  const kinds = onnx.AttributeProto_AttributeType;
  const elemType = { float32: types.FLOAT, int64: types.INT64, bool: types.BOOL };
  const attribute = (name: string, value: OnnxAttribute) => {
    if (typeof value === "number") return { name, type: kinds.INT, i: BigInt(value) };
    if ("float" in value) return { name, type: kinds.FLOAT, f: value.float };
    return { name, type: kinds.INTS, ints: value.map(BigInt) };
  };
  const valueInfo = ({ name, type, shape }: OnnxValue) =>
    create(onnx.ValueInfoProtoSchema, {
      name,
      type: {
        value: {
          case: "tensorType",
          value: {
            elemType: elemType[type],
            shape: {
              dim: shape.map((size) => ({
                value: typeof size === "number"
                  ? { case: "dimValue" as const, value: BigInt(size) }
                  : { case: "dimParam" as const, value: size },
              })),
            },
          },
        },
      },
    });
  const model = create(onnx.ModelProtoSchema, {
    irVersion: BigInt(IR_VERSION),
    producerName: producer,
    opsetImport: [{ domain: "", version: BigInt(OPSET) }],
    graph: {
      name: graph.name,
      node: graph.nodes.map(({ op, inputs, output, attributes }) => ({
        opType: op,
        name: output,
        input: [...inputs],
        output: [output],
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      })),
      initializer: [...graph.constants.values()].map(({ name, shape, data }) => ({
        name,
        dims: shape.map(BigInt),
        dataType: data instanceof Float32Array ? types.FLOAT : types.INT64,
        // The format is little-endian, as is every machine that WebGPU runs on.
        rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
      })),
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
    },
  });
  return toBinary(onnx.ModelProtoSchema, model);
}
