import type { DType } from "../tensor";

/** A dtype of safetensors. */
export interface SafetensorsDtype {
  /** As the header writes it. */
  readonly native: string;
  readonly dtype: DType;
  /** Of one stored element. */
  readonly bits: number;
}

/**
 * Every dtype, in the order of the real library's enumeration: its writer puts the highest first.
 * @see safetensors 0.8.0 src/tensor.rs
 */
export const SAFETENSORS_DTYPES: readonly SafetensorsDtype[] = [
  { native: "BOOL", dtype: "bool", bits: 8 },
  { native: "F4", dtype: "float4_e2m1fn", bits: 4 },
  { native: "F6_E2M3", dtype: "float6_e2m3fn", bits: 6 },
  { native: "F6_E3M2", dtype: "float6_e3m2fn", bits: 6 },
  { native: "U8", dtype: "uint8", bits: 8 },
  { native: "I8", dtype: "int8", bits: 8 },
  { native: "F8_E5M2", dtype: "float8_e5m2", bits: 8 },
  { native: "F8_E4M3", dtype: "float8_e4m3fn", bits: 8 },
  { native: "F8_E8M0", dtype: "float8_e8m0fnu", bits: 8 },
  { native: "F8_E4M3FNUZ", dtype: "float8_e4m3fnuz", bits: 8 },
  { native: "F8_E5M2FNUZ", dtype: "float8_e5m2fnuz", bits: 8 },
  { native: "I16", dtype: "int16", bits: 16 },
  { native: "U16", dtype: "uint16", bits: 16 },
  { native: "F16", dtype: "float16", bits: 16 },
  { native: "BF16", dtype: "bfloat16", bits: 16 },
  { native: "I32", dtype: "int32", bits: 32 },
  { native: "U32", dtype: "uint32", bits: 32 },
  { native: "F32", dtype: "float32", bits: 32 },
  { native: "C64", dtype: "complex64", bits: 64 },
  { native: "F64", dtype: "float64", bits: 64 },
  { native: "I64", dtype: "int64", bits: 64 },
  { native: "U64", dtype: "uint64", bits: 64 },
];

/** The dtype that a header calls `native`. */
export const dtypeByNativeName: ReadonlyMap<string, SafetensorsDtype> = new Map(
  SAFETENSORS_DTYPES.map((one) => [one.native, one]),
);

/** How safetensors stores a dtype; `undefined` for one that it has no name for, such as complex128 or int4. */
export function safetensorsDtype(dtype: DType): SafetensorsDtype | undefined {
  return SAFETENSORS_DTYPES.find((one) => one.dtype === dtype);
}
