import { createHash } from "node:crypto";
import { Budget } from "../../base/budget";
import type { PositionalReader } from "../../base/ports";
import { openFileReader } from "../../formats/fileReader";
import type { ExternalData } from "../../formats/onnx/externalData";
import { readStoredBytes } from "../../formats/onnx/tensorData";
import type { TensorHeader } from "../../formats/onnx/tensorHeader";

/** Bytes hashed at once. */
const CHUNK_BYTES = 1 << 20;
/** Encoded values are decoded in memory; larger ones come as plain runs in practice. */
const MAX_DECODED_BYTES = 512 * 2 ** 20;

/**
 * SHA-256 (hex) of a tensor's little-endian row-major bytes, sub-byte types as stored; `undefined` for strings,
 * for types of unknown size, and for external data that was not found (`external` undefined).
 * @param reader the open model file, which `name` names in failures.
 * @throws ModelbenchError `format.corrupt` | `file.access` | `budget.exceeded`
 */
export function digestTensor(
  tensor: TensorHeader,
  external: ExternalData | undefined,
  reader: PositionalReader,
  name: string,
): string | undefined {
  if (tensor.dtype === null || tensor.dtype === "string") return undefined;
  if (tensor.external) return external && digestExternal(external);
  if (tensor.plain) return digestRun(reader, tensor.plain.start, tensor.bytes);
  const budget = new Budget(name, { bytes: MAX_DECODED_BYTES, nodes: MAX_DECODED_BYTES });
  return createHash("sha256")
    .update(readStoredBytes(reader, tensor, name, budget))
    .digest("hex");
}

function digestExternal({ path, offset, length }: ExternalData): string {
  const reader = openFileReader(path);
  try {
    return digestRun(reader, offset, length);
  } finally {
    reader.close();
  }
}

function digestRun(reader: PositionalReader, offset: number, length: number): string {
  const hash = createHash("sha256");
  for (let done = 0; done < length; done += CHUNK_BYTES) {
    hash.update(reader.read(offset + done, Math.min(CHUNK_BYTES, length - done)));
  }
  return hash.digest("hex");
}
