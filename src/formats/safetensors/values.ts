import type { Warning } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { packedData, runData, type TensorData } from "../tensorData";
import type { SafetensorsEntry } from "./header";
import { quoted } from "./quoted";
import { Remarks } from "./remarks";

/** BOOL values that are looked at while a file is opened, and the reads that this may take. */
const MAX_BOOL_BYTES = 65_536;
const MAX_BOOL_READS = 4;

/** The values of a tensor, read from its file piece by piece; F4 and F6 are unpacked, low bits first. */
export function safetensorsData(reader: PositionalReader, { type, shape, start }: SafetensorsEntry): TensorData {
  const dims = shape.map(Number);
  if (type.bits < 8) return packedData(reader, type.dtype, dims, start, type.bits);
  return runData(reader, type.dtype, dims, start);
}

/** Warns of BOOL values other than 0 and 1, in the first small tensors only: opening a file does not read weights. */
export function oddBoolWarnings(
  reader: PositionalReader,
  entries: readonly SafetensorsEntry[],
  path: string,
): Warning[] {
  const remarks = new Remarks(path);
  let left = MAX_BOOL_BYTES;
  const bools = entries.filter(({ type, bytes }) => type.native === "BOOL" && bytes > 0);
  for (const { name, start, bytes } of bools.slice(0, MAX_BOOL_READS)) {
    left -= bytes;
    if (left < 0) break;
    const odd = reader.read(start, bytes).findIndex((byte) => byte > 1);
    if (odd >= 0) remarks.add("bool", `a BOOL other than 0 and 1 in ${quoted(name)}`, start + odd);
  }
  return remarks.warnings();
}
