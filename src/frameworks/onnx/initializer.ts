import { Budget } from "../../base/budget";
import type { PositionalReader } from "../../base/ports";
import { encodeStrings, itemSize } from "../../formats/elements";
import { openFileReader } from "../../formats/fileReader";
import { onnxDataTypeNamed } from "../../formats/onnx/dataTypes";
import type { ExternalData } from "../../formats/onnx/externalData";
import { readStoredBytes, readStoredTexts } from "../../formats/onnx/tensorData";
import type { TensorHeader } from "../../formats/onnx/tensorHeader";
import type { DType } from "../../formats/tensor";
import { memoryData, packedData, runData, type TensorData, unpackBits } from "../../formats/tensorData";

/** Encoded values are decoded in memory; larger ones come as plain runs in practice. */
const MAX_DECODED_BYTES = 512 * 2 ** 20;

/**
 * The values of an ONNX tensor, wherever they lie.
 * @param reader the open model file, which `name` names in failures
 * @throws ModelbenchError `format.corrupt` | `file.access` | `budget.exceeded`
 */
export function readInitializer(
  reader: PositionalReader,
  tensor: TensorHeader,
  dtype: DType,
  external: ExternalData | undefined,
  name: string,
): TensorData {
  const { bits } = onnxDataTypeNamed(tensor.nativeDtype);
  if (external) return atRun(fileAt(external.path), dtype, tensor.shape, external.offset, bits);
  if (tensor.plain) return atRun(reader, dtype, tensor.shape, tensor.plain.start, bits);
  const budget = new Budget(name, { bytes: MAX_DECODED_BYTES, nodes: MAX_DECODED_BYTES });
  if (dtype === "string") {
    const data = encodeStrings(readStoredTexts(reader, tensor, name, budget));
    return memoryData({ dtype, shape: tensor.shape, data });
  }
  const stored = readStoredBytes(reader, tensor, name, budget);
  const data = bits < 8 ? unpackBits(stored, bits, tensor.count) : stored;
  return memoryData({ dtype, shape: tensor.shape, data }, stored);
}

function atRun(
  reader: PositionalReader,
  dtype: DType,
  shape: readonly number[],
  offset: number,
  bits: number,
): TensorData {
  const isWhole = bits === 8 * (itemSize(dtype) ?? 0);
  return isWhole ? runData(reader, dtype, shape, offset) : packedData(reader, dtype, shape, offset, bits);
}

/** A file that is open only while it is read, so that nobody has to close it. */
function fileAt(path: string): PositionalReader {
  return {
    get size() {
      return opened(path, (reader) => reader.size);
    },
    read: (offset, length) => opened(path, (reader) => reader.read(offset, length)),
  };
}

function opened<T>(path: string, use: (reader: PositionalReader) => T): T {
  const reader = openFileReader(path);
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}
