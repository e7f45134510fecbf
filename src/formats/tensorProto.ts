import { Budget } from "../base/budget";
import { ModelbenchError } from "../base/errors";
import type { PositionalReader } from "../base/ports";
import { encodeStrings } from "./elements";
import { onnxDataTypeNamed } from "./onnx/dataTypes";
import { readStoredBytes, readStoredTexts } from "./onnx/tensorData";
import { readTensorHeader } from "./onnx/tensorHeader";
import { ProtoReader } from "./protobuf";
import type { Tensor } from "./tensor";
import { unpackBits } from "./tensorData";

/** Largest tensor that is read: protobuf itself ends at 2 GB. */
const LIMITS = { bytes: 2 ** 31, nodes: 300_000_000, depth: 4, timeMs: 120_000 };

/**
 * Reads a file that holds one serialised ONNX TensorProto (`input_0.pb` of the ONNX test suites), with its values
 * in `raw_data` or in the typed fields.
 * @throws ModelbenchError `format.corrupt`, `input.dtype` for a type that is not known, `onnx.external` when the
 *   values are in another file, `budget.exceeded`
 */
export function readTensorProto(
  reader: PositionalReader,
  file = "tensor.pb",
  budget = new Budget(file, LIMITS),
): { name: string; tensor: Tensor } {
  const header = readTensorHeader(ProtoReader.open(reader, file, budget));
  const { name, dtype, shape, count } = header;
  if (header.external) {
    throw new ModelbenchError(
      "onnx.external",
      `${file}: its values are in another file; a tensor file must hold them.`,
      {
        path: file,
      },
    );
  }
  if (dtype === null) {
    const what = header.nativeDtype === "UNDEFINED" ? "no tensor type" : `the unknown type ${header.nativeDtype}`;
    throw new ModelbenchError("input.dtype", `${file}: has ${what}.`, {
      path: file,
      remedy: "A .pb input is one serialised ONNX TensorProto, as onnx.numpy_helper.from_array makes it.",
    });
  }
  if (dtype === "string") {
    const texts = readStoredTexts(reader, header, file, budget);
    return { name, tensor: { dtype, shape, data: encodeStrings(texts) } };
  }
  const stored = readStoredBytes(reader, header, file, budget);
  const { bits } = onnxDataTypeNamed(header.nativeDtype);
  if (bits >= 8) return { name, tensor: { dtype, shape, data: stored } };
  budget.bytes(count);
  return { name, tensor: { dtype, shape, data: unpackBits(stored, bits, count) } };
}
