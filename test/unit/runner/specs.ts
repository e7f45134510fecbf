import type { DType, MethodSignature, ValueSpec } from "../../../src/formats/tensor";

/** One declared input; a plain tensor. */
export function spec(dtype: DType, shape: ValueSpec["shape"], name = "x"): ValueSpec {
  return { name, type: "tensor", dtype, shape };
}

/** A method that takes these and gives nothing; not batchable. */
export function method(...inputs: ValueSpec[]): MethodSignature {
  return { inputs, outputs: [], batchable: false, batchDim: [0, 0], source: "onnx" };
}
