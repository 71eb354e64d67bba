/** A minimal writer of ONNX models (Open Neural Network Exchange, onnx.proto3): enough for graphs of a few nodes. */

/** Element types by their number in the format. */
export const ONNX_TYPE = { float32: 1, int32: 6, int64: 7 } as const;

/** Name of an element type. */
export type OnnxType = keyof typeof ONNX_TYPE;

/** A named tensor that goes in or out. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
}

/** One operation. Attributes: whole numbers become INT, others FLOAT, arrays INTS. */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Empty for the standard operators. */
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

/** Value of an attribute; a float needs the wrapper because 1.0 is a whole number too. */
export type OnnxAttribute = number | readonly number[] | { readonly float: number };

/** A constant integer tensor. */
export interface OnnxConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Everything a model holds. */
export interface OnnxGraph {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly constants?: readonly OnnxConstant[];
}

const IR_VERSION = 8;
const OPSET = 17;
const ATTRIBUTE = { float: 1, int: 2, ints: 7 } as const;

/** Serialises a graph as an ONNX model. */
export function encodeOnnxModel(graph: OnnxGraph): Uint8Array {
  const opset = (domain: string, version: number) => [...text(1, domain), ...number(2, version)];
  return Uint8Array.from([
    ...number(1, IR_VERSION),
    ...message(7, [
      ...graph.nodes.flatMap((node) => message(1, encodeNode(node))),
      ...text(2, "case"),
      ...(graph.constants ?? []).flatMap((constant) => message(5, encodeConstant(constant))),
      ...graph.inputs.flatMap((value) => message(11, encodeValue(value))),
      ...graph.outputs.flatMap((value) => message(12, encodeValue(value))),
    ]),
    ...message(8, opset("", OPSET)),
    ...message(8, opset("com.microsoft", 1)),
  ]);
}

function encodeNode({ op, inputs, outputs, domain = "", attributes = {} }: OnnxNode): number[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(3, outputs[0]),
    ...text(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) =>
      message(5, encodeAttribute(name, value))
    ),
    ...text(7, domain),
  ];
}

function encodeAttribute(name: string, value: OnnxAttribute): number[] {
  if (typeof value === "number") {
    return [...text(1, name), ...number(3, value), ...number(20, ATTRIBUTE.int)];
  }
  if ("float" in value) {
    const bytes = new Uint8Array(Float32Array.of(value.float).buffer);
    return [...text(1, name), ...key(2, 5), ...bytes, ...number(20, ATTRIBUTE.float)];
  }
  return [...text(1, name), ...value.flatMap((n) => number(8, n)), ...number(20, ATTRIBUTE.ints)];
}

function encodeConstant({ name, shape, values }: OnnxConstant): number[] {
  const bytes = new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
  return [
    ...shape.flatMap((n) => number(1, n)),
    ...number(2, ONNX_TYPE.int64),
    ...text(8, name),
    ...message(9, [...bytes]),
  ];
}

function encodeValue({ name, type, shape }: OnnxValue): number[] {
  const dimensions = shape.flatMap((n) => message(1, number(1, n)));
  const tensor = [...number(1, ONNX_TYPE[type]), ...message(2, dimensions)];
  return [...text(1, name), ...message(2, message(1, tensor))];
}

/** Base-128 number, least significant group first; negative ones as 64-bit two's complement. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

function key(field: number, wireType: number): number[] {
  return varint(field * 8 + wireType);
}

function number(field: number, value: number): number[] {
  return [...key(field, 0), ...varint(value)];
}

function message(field: number, bytes: readonly number[]): number[] {
  return [...key(field, 2), ...varint(bytes.length), ...bytes];
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}
