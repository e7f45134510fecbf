/** numpy / ml_dtypes names; `string` is variable-length UTF-8. Sub-byte types hold one element a byte in memory. */
export type DType =
  | "bool"
  | "int1"
  | "int2"
  | "int4"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint1"
  | "uint2"
  | "uint4"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "float16"
  | "bfloat16"
  | "float32"
  | "float64"
  | "float8_e3m4"
  | "float8_e4m3"
  | "float8_e4m3b11fnuz"
  | "float8_e4m3fn"
  | "float8_e4m3fnuz"
  | "float8_e5m2"
  | "float8_e5m2fnuz"
  | "float8_e8m0fnu"
  | "float6_e2m3fn"
  | "float6_e3m2fn"
  | "float4_e2m1fn"
  | "complex64"
  | "complex128"
  | "string";

/**
 * A dense, row-major, little-endian tensor; `[]` is a scalar. `data.byteLength === product(shape) *
 * itemSize(dtype)`, except for `string`: there each element is a u32 LE byte length followed by its UTF-8. In a column of
 * a data frame a text may be missing: its length is 2^32 - 1, and nothing follows.
 */
export interface Tensor {
  readonly dtype: DType;
  /** Outermost first. */
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** One input or output of a method, before any value is there. */
export interface ValueSpec {
  readonly name: string;
  readonly type: "tensor" | "sequence" | "map" | "optional";
  /** `null` for what is not a tensor or has no known element type. */
  readonly dtype: DType | null;
  /** A number is fixed, a string is a symbolic dimension, `null` an unnamed one; `null` in place of the list = unknown rank. */
  readonly shape: readonly (number | string | null)[] | null;
}

/** What can be called on a model. */
export interface MethodSignature {
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  readonly batchable: boolean;
  /** The inputs are not declared: any name is a parameter's, and `0`, `1`, … are positions. */
  readonly isOpen?: boolean;
  /** Batch axis of inputs and of outputs. */
  readonly batchDim: readonly [number, number];
  /** Where the inputs and outputs were read from. */
  readonly source: "onnx" | "model.yaml" | "learned";
}
