import { onnxModel } from "../unit/runner/onnxModel";

/**
 * The network of the documents' digits, two convolutions and two products, wider, so that a row takes 0.1 ms and more
 * also on a quiet machine: beside it the batcher's own microseconds are what they are for real models. Each weight serves
 * many places of an image, so the time of a row hardly depends on the batch: what the runtime does at its best is within
 * reach of so many clients. Of a perceptron it is not, where a batch twice as large reads the weights half as often.
 */
const CHANNELS = [48, 96] as const;
const HIDDEN = 256;
const SIDE = 28;

/** Columns of a row: the pixels of an image. */
export const COLUMNS = SIDE * SIDE;

/** The model as an ONNX file: `x` of [N, 784] to `y` of [N, 10]. */
export function digits(): Buffer {
  const [first, second] = CHANNELS;
  const flat = second * (SIDE / 4) ** 2;
  const weights = { k1: [first, 1, 3, 3], k2: [second, first, 3, 3], w1: [flat, HIDDEN], w2: [HIDDEN, 10] };
  const constants = Object.entries(weights).map(([name, shape]) => {
    const count = shape.reduce((product, dim) => product * dim, 1);
    return [
      name,
      { shape, values: Float32Array.from({ length: count }, (_, at) => ((at * 31) % 101) / 50 / flat) },
    ] as const;
  });
  const image = { shape: [4], values: BigInt64Array.of(-1n, 1n, BigInt(SIDE), BigInt(SIDE)) };
  return onnxModel({
    inputs: [{ name: "x", dtype: "float32", shape: ["N", COLUMNS] }],
    outputs: [{ name: "y", dtype: "float32", shape: ["N", 10] }],
    nodes: [
      { op: "Reshape", inputs: ["x", "image"], outputs: ["p0"] },
      ...[1, 2].flatMap((layer) => [
        {
          op: "Conv",
          inputs: [`p${layer - 1}`, `k${layer}`],
          outputs: [`c${layer}`],
          attributes: { pads: [1, 1, 1, 1] },
        },
        { op: "Relu", inputs: [`c${layer}`], outputs: [`r${layer}`] },
        {
          op: "AveragePool",
          inputs: [`r${layer}`],
          outputs: [`p${layer}`],
          attributes: { kernel_shape: [2, 2], strides: [2, 2] },
        },
      ]),
      { op: "Flatten", inputs: ["p2"], outputs: ["f"] },
      { op: "MatMul", inputs: ["f", "w1"], outputs: ["s"] },
      { op: "Relu", inputs: ["s"], outputs: ["h"] },
      { op: "MatMul", inputs: ["h", "w2"], outputs: ["y"] },
    ],
    constants: Object.fromEntries([...constants, ["image", image]]),
  });
}

/** The same rows over and over. */
export function rowsOf(count: number): Float32Array {
  return Float32Array.from({ length: count * COLUMNS }, (_, i) => ((i % COLUMNS) % 17) / 17);
}
