/** Just enough of protobuf and of onnx.proto to make the small models of the runner's tests. */

type Wire = Buffer;

/** Element types of onnx.proto that the tests use. */
export const onnxTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const;

/** A dtype that models of the tests can have. */
export type OnnxType = keyof typeof onnxTypes;

/** A graph input or output: a number is a fixed dimension, a text a symbolic one. */
export interface Value {
  readonly name: string;
  readonly dtype: OnnxType;
  readonly shape: readonly (number | string)[];
  readonly isSequence?: boolean;
}

/** One operator with its attributes: integers, lists of integers and graphs. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number | readonly number[] | Graph>>;
}

/** A graph; `constants` are float32 or int64 initializers. */
export interface Graph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly constants?: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: Float32Array | BigInt64Array }>
  >;
}

/** The bytes of a model file, opset 17. */
export function onnxModel(graph: Graph): Buffer {
  return Buffer.concat([
    number(1, 8),
    bytes(7, graphBytes(graph)),
    bytes(8, Buffer.concat([text(1, ""), number(2, 17)])),
  ]);
}

function graphBytes({ inputs, outputs, nodes, constants = {} }: Graph): Buffer {
  return Buffer.concat([
    ...nodes.map((node) => bytes(1, nodeBytes(node))),
    text(2, "graph"),
    ...Object.entries(constants).map(([name, { shape, values }]) =>
      bytes(
        5,
        Buffer.concat([
          ...shape.map((dim) => number(1, dim)),
          number(2, values instanceof Float32Array ? onnxTypes.float32 : onnxTypes.int64),
          text(8, name),
          bytes(9, Buffer.from(values.buffer)),
        ]),
      ),
    ),
    ...inputs.map((value) => bytes(11, valueBytes(value))),
    ...outputs.map((value) => bytes(12, valueBytes(value))),
  ]);
}

function nodeBytes({ op, inputs, outputs, attributes = {} }: Node): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) =>
      bytes(5, Buffer.concat([text(1, name), attributeBytes(value)])),
    ),
  ]);
}

function attributeBytes(value: number | readonly number[] | Graph): Buffer {
  if (typeof value === "number") return Buffer.concat([number(3, value), number(20, 2)]);
  if ("nodes" in value) return Buffer.concat([bytes(6, graphBytes(value)), number(20, 5)]);
  return Buffer.concat([...value.map((item) => number(8, item)), number(20, 7)]);
}

function valueBytes({ name, dtype, shape, isSequence = false }: Value): Buffer {
  const dims = shape.map((dim) => bytes(1, typeof dim === "number" ? number(1, dim) : text(2, dim)));
  const tensor = bytes(1, Buffer.concat([number(1, onnxTypes[dtype]), bytes(2, Buffer.concat(dims))]));
  return Buffer.concat([text(1, name), bytes(2, isSequence ? bytes(4, bytes(1, tensor)) : tensor)]);
}

function bytes(field: number, value: Uint8Array): Wire {
  return Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
}

function text(field: number, value: string): Wire {
  return bytes(field, Buffer.from(value));
}

function number(field: number, value: number): Wire {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const groups: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...groups, Number(rest)]);
    groups.push(Number(rest & 127n) | 128);
  }
}
