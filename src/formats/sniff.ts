import type { PositionalReader } from "../base/ports";
import { readFlaxHeader } from "./flaxMsgpack/header";
import { isMap } from "./flaxMsgpack/stored";
import { readOnnxHeader } from "./onnx/header";
import { isPickle } from "./pickle/pickleFile";

/** Formats that a file can have, as `inspect` names them. */
export type FileFormat =
  | "onnx"
  | "safetensors"
  | "flax-msgpack"
  | "msgpack"
  | "pickle"
  | "npy"
  | "npz"
  | "archive"
  | "unknown";

const EXTENSIONS: readonly (readonly [RegExp, FileFormat])[] = [
  [/\.onnx$/i, "onnx"],
  [/\.safetensors(\.index\.json)?$/i, "safetensors"],
  [/\.msgpack$/i, "flax-msgpack"],
  [/\.npy$/i, "npy"],
  [/\.npz$/i, "npz"],
  [/\.(bentomodel|bento|tar|tgz|txz|zip|tar\.(gz|xz|bz2))$/i, "archive"],
];

/** The format that a file's name claims; `undefined` when only its content can tell. */
export function claimedFormat(path: string): FileFormat | undefined {
  return EXTENSIONS.find(([pattern]) => pattern.test(path))?.[1];
}

/** The format that the first bytes show; `unknown` when they show none that we know by a mark. */
function sniffFormat(reader: PositionalReader): FileFormat {
  const head = Buffer.from(reader.read(0, Math.min(reader.size, 512)));
  const is = (mark: string, at = 0): boolean => head.toString("latin1", at, at + mark.length) === mark;
  if (is("\x93NUMPY")) return "npy";
  if (is("PK\x03\x04")) return isTorchZip(head) ? "pickle" : "archive";
  if (is("\x1f\x8b") || is("\xfd7zXZ\0") || is("BZh") || is("ustar", 257)) return "archive";
  if (head.length >= 9 && head[8] === 0x7b && head.readBigUInt64LE(0) <= BigInt(reader.size - 8)) return "safetensors";
  if (head.length >= 2 && head[0] === 0x80 && (head[1] ?? 9) >= 2 && (head[1] ?? 9) <= 5) return "pickle";
  if (head[0] === 0x08 && isOnnx(reader)) return "onnx";
  return isMsgpack(head, reader) ? "msgpack" : "unknown";
}

/** Extensions that pickles have, also packed by joblib, and archives of pickles; `.bin` has anything else, too. */
const PICKLE_FAMILY = /\.(?:(pkl|pickle|joblib)(?:\.(?:z|gz|bz2|xz|lzma|lz4))?|(pt|pth|bin))$/i;

/**
 * The format of a file whose name claims none. What is called like a pickle is loaded as one, so it is one, unless it
 * is something that no pickle can be as well.
 */
export function unclaimedFormat(path: string, reader: PositionalReader): FileFormat {
  const found = sniffFormat(reader);
  if (found === "archive" && /\.keras$/i.test(path)) return "unknown";
  const family = PICKLE_FAMILY.exec(path);
  if (family === null || found === "npy" || found === "onnx" || found === "pickle") return found;
  const isBare = found === "unknown" || found === "archive";
  if (isBare && family[2]?.toLowerCase() !== "bin") return "pickle";
  if (found === "archive") return found;
  return isPickle(reader) ? "pickle" : found;
}

/** Words for what a file is that claimed to be `claimed` and is not. */
export function looksLike(reader: PositionalReader, claimed: FileFormat): string {
  if (reader.size === 0) return "an empty file";
  const head = Buffer.from(reader.read(0, Math.min(reader.size, 256)));
  const other = OTHERS.find(([mark, at]) => head.toString("latin1", at, at + mark.length) === mark);
  if (other) return other[2];
  const format = sniffFormat(reader);
  if (format !== "unknown" && format !== claimed) return WORDS[format];
  if (/^version https:\/\/git-lfs/.test(head.toString("latin1")))
    return "a Git LFS pointer whose content was not fetched";
  if (/^\s*<(!doctype|html)/i.test(head.toString("latin1"))) return "a web page";
  if (/^[\t\r\n\x20-\x7e]+$/.test(head.toString("latin1"))) return "plain text";
  return NOTHING_KNOWN;
}

/** What `looksLike` says of a file that it does not know either. */
export const NOTHING_KNOWN = "a damaged or unknown file";

/** Marks of formats whose inside is not read, and where they stand. */
const OTHERS: readonly (readonly [mark: string, at: number, words: string])[] = [
  ["\x89HDF", 0, "an HDF5 file"],
  ["GGUF", 0, "a GGUF model"],
  ["TFL3", 4, "a TensorFlow Lite model"],
  ["PAR1", 0, "a Parquet table"],
  ["ORTM", 4, "a model in the format of ONNX Runtime (.ort)"],
  // The first member of its zip archive.
  ["metadata.json", 30, "a Keras model"],
  ["CBM1", 0, "a CatBoost model"],
  ["tree\nversion=", 0, "a LightGBM model"],
  // Its two writers: UBJSON, and JSON without a space.
  ["{L\0\0\0\0\0\0\0\x07learner", 0, "an XGBoost model"],
  ['{"learner":{', 0, "an XGBoost model"],
];

const WORDS: Readonly<Record<FileFormat, string>> = {
  onnx: "an ONNX model",
  safetensors: "a safetensors file",
  "flax-msgpack": "a flax MessagePack file",
  msgpack: "a MessagePack file",
  pickle: "a pickle",
  npy: "a NumPy array",
  npz: "a NumPy archive",
  archive: "an archive",
  unknown: "an unknown file",
};

/** PyTorch writes the pickle of an archive first. */
function isTorchZip(head: Buffer): boolean {
  const name = head.toString("latin1", 30, Math.min(head.length, 30 + (head.length > 28 ? head.readUInt16LE(26) : 0)));
  return /(^|\/)data\.pkl$/.test(name);
}

/** MessagePack has no mark: a map with keys of text that ends with the file is taken for it. */
function isMsgpack(head: Uint8Array, reader: PositionalReader): boolean {
  const lead = head[0] ?? 0;
  if (!((lead > 0x80 && lead < 0x90) || lead === 0xde || lead === 0xdf)) return false;
  try {
    const { root } = readFlaxHeader(reader, "file");
    return isMap(root) && [...root.keys()].every((key) => typeof key === "string");
  } catch {
    return false;
  }
}

function isOnnx(reader: PositionalReader): boolean {
  try {
    readOnnxHeader(reader, "file");
    return true;
  } catch {
    return false;
  }
}
