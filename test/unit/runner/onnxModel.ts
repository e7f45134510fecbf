import { block, int } from "../../fixtures/protoWriter";

/** Just enough of onnx.proto to make the small models of the runner's tests. */

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
  return Buffer.concat([int(1, 8), block(7, graphBytes(graph)), block(8, Buffer.concat([block(1, ""), int(2, 17)]))]);
}

function graphBytes({ inputs, outputs, nodes, constants = {} }: Graph): Buffer {
  return Buffer.concat([
    ...nodes.map((node) => block(1, nodeBytes(node))),
    block(2, "graph"),
    ...Object.entries(constants).map(([name, { shape, values }]) =>
      block(
        5,
        Buffer.concat([
          ...shape.map((dim) => int(1, dim)),
          int(2, values instanceof Float32Array ? onnxTypes.float32 : onnxTypes.int64),
          block(8, name),
          block(9, Buffer.from(values.buffer)),
        ]),
      ),
    ),
    ...inputs.map((value) => block(11, valueBytes(value))),
    ...outputs.map((value) => block(12, valueBytes(value))),
  ]);
}

function nodeBytes({ op, inputs, outputs, attributes = {} }: Node): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => block(1, name)),
    ...outputs.map((name) => block(2, name)),
    block(4, op),
    ...Object.entries(attributes).map(([name, value]) =>
      block(5, Buffer.concat([block(1, name), attributeBytes(value)])),
    ),
  ]);
}

function attributeBytes(value: number | readonly number[] | Graph): Buffer {
  if (typeof value === "number") return Buffer.concat([int(3, value), int(20, 2)]);
  if ("nodes" in value) return Buffer.concat([block(6, graphBytes(value)), int(20, 5)]);
  return Buffer.concat([...value.map((item) => int(8, item)), int(20, 7)]);
}

function valueBytes({ name, dtype, shape, isSequence = false }: Value): Buffer {
  const dims = shape.map((dim) => block(1, typeof dim === "number" ? int(1, dim) : block(2, dim)));
  const tensor = block(1, Buffer.concat([int(1, onnxTypes[dtype]), block(2, Buffer.concat(dims))]));
  return Buffer.concat([block(1, name), block(2, isSequence ? block(4, block(1, tensor)) : tensor)]);
}
