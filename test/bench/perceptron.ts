import { onnxModel } from "../unit/runner/onnxModel";

/**
 * A perceptron of 0.1 ms a row and more, also in large batches on a quiet machine: beside it the batcher's own
 * microseconds are what they are for real models.
 */
const WIDTHS = [784, 3072, 3072, 10] as const;

/** Columns of a row. */
export const COLUMNS = WIDTHS[0];

/** The model as an ONNX file: `x` of [N, 784] to `y` of [N, 10]. */
export function perceptron(): Buffer {
  const layers = WIDTHS.slice(1).map((width, i) => ({ from: WIDTHS[i] as number, to: width, i }));
  const weights = layers.map(({ from, to, i }) => {
    const values = Float32Array.from({ length: from * to }, (_, at) => ((at * 31) % 101) / 50 / from);
    return [`w${i}`, { shape: [from, to], values }] as const;
  });
  const nodes = layers.flatMap(({ i }) => {
    const isLast = i === layers.length - 1;
    const [input, sum, output] = [i === 0 ? "x" : `h${i}`, isLast ? "y" : `s${i}`, `h${i + 1}`];
    const product = { op: "MatMul", inputs: [input, `w${i}`], outputs: [sum] };
    return isLast ? [product] : [product, { op: "Relu", inputs: [sum], outputs: [output] }];
  });
  return onnxModel({
    inputs: [{ name: "x", dtype: "float32", shape: ["N", COLUMNS] }],
    outputs: [{ name: "y", dtype: "float32", shape: ["N", WIDTHS[3]] }],
    nodes,
    constants: Object.fromEntries(weights),
  });
}

/** The same rows over and over. */
export function rowsOf(count: number): Float32Array {
  return Float32Array.from({ length: count * COLUMNS }, (_, i) => ((i % COLUMNS) % 17) / 17);
}
