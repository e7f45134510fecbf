import type { PositionalReader } from "../base/ports";
import type { SafetensorsEntry, SafetensorsHeader } from "../formats/safetensors/header";
import { oddBoolWarnings } from "../formats/safetensors/values";
import type { ContentFacts, StoredTensor } from "./content";

/** What a header says, as the facts of a file. @param name what `tensors[].file` calls it */
export function safetensorsFacts(
  { entries, metadata, warnings }: SafetensorsHeader,
  reader: PositionalReader,
  name: string,
  path: string,
): ContentFacts {
  return {
    tensors: entries.map((entry) => storedTensor(entry, name)),
    metadata: metadata ?? new Map(),
    warnings: [...warnings, ...oddBoolWarnings(reader, entries, path)],
  };
}

function storedTensor({ name, type, shape, start, bytes }: SafetensorsEntry, file: string): StoredTensor {
  const tensor: StoredTensor = {
    file,
    name,
    path: [name],
    kind: "ndarray",
    dtype: type.dtype,
    nativeDtype: type.native,
    shape: shape.map(Number),
    offset: start,
    bytes,
  };
  return shape.some((dim) => dim > Number.MAX_SAFE_INTEGER) ? { ...tensor, exactShape: shape } : tensor;
}
