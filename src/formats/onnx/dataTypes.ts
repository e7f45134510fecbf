import type { DType } from "../tensor";

/** One value of `TensorProto.DataType`. */
export interface OnnxDataType {
  /** ONNX's own name, for instance `FLOAT`. */
  readonly nativeDtype: string;
  /** `null` for UNDEFINED and for numbers this version does not know. */
  readonly dtype: DType | null;
  /** Bits of one element as stored; 0 when there is no fixed size (strings, unknown types). */
  readonly bits: number;
  /** Field of TensorProto that holds the values when `raw_data` is not used. */
  readonly typedField: number;
}

const FLOAT_DATA = 4;
const INT32_DATA = 5;
const STRING_DATA = 6;
const INT64_DATA = 7;
const DOUBLE_DATA = 10;
const UINT64_DATA = 11;

const ROWS: readonly (readonly [name: string, dtype: DType | null, bits: number, typedField: number])[] = [
  ["UNDEFINED", null, 0, 0],
  ["FLOAT", "float32", 32, FLOAT_DATA],
  ["UINT8", "uint8", 8, INT32_DATA],
  ["INT8", "int8", 8, INT32_DATA],
  ["UINT16", "uint16", 16, INT32_DATA],
  ["INT16", "int16", 16, INT32_DATA],
  ["INT32", "int32", 32, INT32_DATA],
  ["INT64", "int64", 64, INT64_DATA],
  ["STRING", "string", 0, STRING_DATA],
  ["BOOL", "bool", 8, INT32_DATA],
  ["FLOAT16", "float16", 16, INT32_DATA],
  ["DOUBLE", "float64", 64, DOUBLE_DATA],
  ["UINT32", "uint32", 32, UINT64_DATA],
  ["UINT64", "uint64", 64, UINT64_DATA],
  ["COMPLEX64", "complex64", 64, FLOAT_DATA],
  ["COMPLEX128", "complex128", 128, DOUBLE_DATA],
  ["BFLOAT16", "bfloat16", 16, INT32_DATA],
  ["FLOAT8E4M3FN", "float8_e4m3fn", 8, INT32_DATA],
  ["FLOAT8E4M3FNUZ", "float8_e4m3fnuz", 8, INT32_DATA],
  ["FLOAT8E5M2", "float8_e5m2", 8, INT32_DATA],
  ["FLOAT8E5M2FNUZ", "float8_e5m2fnuz", 8, INT32_DATA],
  ["UINT4", "uint4", 4, INT32_DATA],
  ["INT4", "int4", 4, INT32_DATA],
  ["FLOAT4E2M1", "float4_e2m1fn", 4, INT32_DATA],
  ["FLOAT8E8M0", "float8_e8m0fnu", 8, INT32_DATA],
  ["UINT2", "uint2", 2, INT32_DATA],
  ["INT2", "int2", 2, INT32_DATA],
  ["FLOAT6E2M3", "float6_e2m3fn", 6, INT32_DATA],
  ["FLOAT6E3M2", "float6_e3m2fn", 6, INT32_DATA],
];

const TYPES = ROWS.map(
  ([nativeDtype, dtype, bits, typedField]): OnnxDataType => ({ nativeDtype, dtype, bits, typedField }),
);

/**
 * Looks up a number of `TensorProto.DataType`; an unknown one answers as `TYPE_<n>` without dtype.
 * @see onnx 1.23 onnx.proto, message TensorProto
 */
export function onnxDataType(id: number): OnnxDataType {
  return TYPES[id] ?? { nativeDtype: `TYPE_${id}`, dtype: null, bits: 0, typedField: 0 };
}

/** Looks up a type by ONNX's own name, as `onnxDataType` answered it. */
export function onnxDataTypeNamed(nativeDtype: string): OnnxDataType {
  return onnxDataType(
    Math.max(
      0,
      TYPES.findIndex((type) => type.nativeDtype === nativeDtype),
    ),
  );
}
