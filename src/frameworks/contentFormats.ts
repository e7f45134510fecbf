import { basename } from "node:path";
import { ModelbenchError } from "../base/errors";
import { openFileReader } from "../formats/fileReader";
import { isShardIndex } from "../formats/safetensors/shardIndex";
import { claimedFormat, type FileFormat, looksLike, unclaimedFormat } from "../formats/sniff";
import type { ContentFacts, ContentReader, FileContent } from "./content";
import { openFlaxFile } from "./flaxFile";
import { openNpyFile } from "./npyFile";
import { openNpzFile } from "./npzFile";
import { openOnnxFile } from "./onnx/describe";
import { openPickleFile } from "./pickleFile";
import { openSafetensorsFile } from "./safetensorsFile";

/** How each format is opened; one line a format. */
const READERS: Readonly<Partial<Record<FileFormat, ContentReader>>> = {
  onnx: openOnnxFile,
  safetensors: openSafetensorsFile,
  npy: openNpyFile,
  npz: openNpzFile,
  pickle: openPickleFile,
  "flax-msgpack": openFlaxFile,
  msgpack: openFlaxFile,
};

/** The warning about a file whose format is known, but whose inside is not read. */
export const FORMAT_NOT_READ = "format.notRead";

/** A file that is open, with the format it was recognised as. */
export interface OpenedFile {
  readonly format: FileFormat;
  readonly content: FileContent;
}

/**
 * Opens a file by its header. An extension that we know claims the format; otherwise the content decides.
 * @param name what the facts call the file
 * @param open opens `path`; left out, a file of the disk
 * @throws ModelbenchError `format.mismatch` when the content is not what the extension claims, `file.access`,
 *   `budget.exceeded`
 */
export function openContent(path: string, name: string = basename(path), open = openFileReader): OpenedFile {
  const format = formatOf(path, open);
  const read = READERS[format];
  if (read) return { format, content: claimed(path, format, open, () => read(path, name, open)) };
  const message =
    format === "unknown"
      ? `${name}: is ${wordsFor(path, format, open)}; ONNX, safetensors, MessagePack, pickles and NumPy are read.`
      : `${name}: the inside of this format is not read in this version.`;
  return { format, content: closed({ ...NOTHING, warnings: [{ code: FORMAT_NOT_READ, message, path }] }) };
}

/** The format of a file, by its extension or its first bytes. @throws ModelbenchError `file.access` */
export function formatOf(path: string, open = openFileReader): FileFormat {
  const format = claimedFormat(path);
  if (format !== undefined) return format;
  const reader = open(path);
  try {
    return /\.json$/i.test(path) && isShardIndex(reader) ? "safetensors" : unclaimedFormat(path, reader);
  } finally {
    reader.close();
  }
}

const NOTHING: ContentFacts = { tensors: [], metadata: new Map(), warnings: [] };

function closed(facts: ContentFacts): FileContent {
  return {
    ...facts,
    data() {
      throw new ModelbenchError("internal", "There are no tensors.");
    },
    close() {},
  };
}

/** Content that does not parse as what the file claims to be is a mismatch, whatever the parser says. */
function claimed(path: string, format: FileFormat, open: typeof openFileReader, read: () => FileContent): FileContent {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ModelbenchError) || cause.code !== "format.corrupt") throw cause;
    // An index of shards is text, and what is wrong with it is said of it or of a shard.
    if (/\.json$/i.test(path)) throw cause;
    const words = wordsFor(path, format, open);
    const reason = cause.message.replace(`${path}: `, "");
    throw new ModelbenchError("format.mismatch", `${path}: is not a readable ${format} file but ${words}: ${reason}`, {
      path,
      offset: cause.offset,
      cause,
    });
  }
}

function wordsFor(path: string, format: FileFormat, open: typeof openFileReader): string {
  const reader = open(path);
  try {
    return looksLike(reader, format);
  } finally {
    reader.close();
  }
}
