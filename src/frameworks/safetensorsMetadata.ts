import { ModelbenchError } from "../base/errors";
import type { JobOptions } from "../base/ports";
import { type FileReader, openFileReader } from "../formats/fileReader";
import { stringifyExact } from "../formats/jsonExact";
import { headerWithMetadata } from "../formats/safetensors/editHeader";
import { LENGTH_BYTES, readSafetensorsHeader } from "../formats/safetensors/header";
import { type BesideFile, replaceFileBeside } from "../store/archive/beside";
import type { ModelInfo } from "../store/model";
import { statOf } from "../store/modelFiles";
import { ModelStore } from "../store/modelStore";
import { assertReplaceable } from "./replaceable";
import type { MetadataEdit, MetadataEntry } from "./safetensorsMetadataJobs";
import { yamlAsData } from "./yamlAsData";

/** Bytes of tensors that are copied at once. */
const COPIED_AT_ONCE = 1 << 20;

/**
 * The work behind `editSafetensorsMetadataJob`. A failure or a cancel leaves the file as it was.
 * @throws ModelbenchError `file.access` for a link, a file of a model, or one that changed meanwhile, `format.corrupt`,
 *   `budget.exceeded` for a header above 100 MB, `cancelled`
 */
export async function runEditSafetensorsMetadata(
  { path, set, remove }: MetadataEdit,
  { signal, onProgress }: JobOptions,
): Promise<{ readonly bytes: number; readonly changed: boolean }> {
  assertReplaceable(path, "an edit", "Export it first.");
  const reader = openFileReader(path);
  try {
    const before = stampOf(path);
    const header = readSafetensorsHeader(reader, path);
    const metadata = edited(header.metadata ?? new Map(), set, remove);
    if (stringifyExact(metadata) === stringifyExact(header.metadata ?? new Map())) {
      return { bytes: reader.size, changed: false };
    }
    const text = reader.read(LENGTH_BYTES, header.dataStart - LENGTH_BYTES);
    const start = headerWithMetadata(text, header, metadata);
    const fill = async (file: BesideFile): Promise<void> => {
      await file.append(start);
      await copyData(reader, header.dataStart, file, onProgress);
      if (stampOf(path) !== before) throw refusal(path, "changed while it was copied", "Try again.");
    };
    return { bytes: await replaceFileBeside(path, fill, signal), changed: true };
  } finally {
    reader.close();
  }
}

/**
 * The metadata that a safetensors file of a model starts with: what it has itself, the model's labels, and the model's
 * metadata, texts as they are and other values as JSON. Where two have one key, the first keeps it and the other is
 * named `label.KEY` or `metadata.KEY`.
 */
export function prefilledMetadata(
  { labels, metadata }: Pick<ModelInfo, "labels" | "metadata">,
  own: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  const filled = new Map(own);
  const add = (source: string, key: string, value: string): void => {
    if (filled.get(key) !== value) filled.set(filled.has(key) ? `${source}.${key}` : key, value);
  };
  for (const [key, value] of labels) add("label", key, value);
  for (const [key, value] of yamlAsData(metadata) as Map<string, unknown>) {
    add("metadata", key, typeof value === "string" ? value : stringifyExact(value));
  }
  return filled;
}

/** The work behind `prefillMetadataJob`. @throws ModelbenchError as `ModelStore.get` */
export async function runPrefillMetadata({
  home,
  tag,
  own,
}: {
  readonly home: string;
  readonly tag: string;
  readonly own: readonly MetadataEntry[];
}): Promise<readonly MetadataEntry[]> {
  return [...prefilledMetadata(new ModelStore(home).get(tag).info, new Map(own))];
}

async function copyData(
  reader: FileReader,
  from: number,
  file: BesideFile,
  onProgress: JobOptions["onProgress"],
): Promise<void> {
  for (let at = from; at < reader.size; at += COPIED_AT_ONCE) {
    await file.append(reader.read(at, Math.min(COPIED_AT_ONCE, reader.size - at)));
    onProgress?.({ doneBytes: at - from, totalBytes: reader.size - from });
  }
}

function edited(
  old: ReadonlyMap<string, string>,
  set: MetadataEdit["set"],
  remove: MetadataEdit["remove"],
): Map<string, string> {
  const metadata = new Map(old);
  for (const key of remove) metadata.delete(key);
  for (const [key, value] of set) metadata.set(key, value);
  return metadata;
}

function stampOf(path: string): string {
  const stat = statOf(path);
  return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : "";
}

function refusal(path: string, what: string, remedy: string): ModelbenchError {
  return new ModelbenchError("file.access", `${path} ${what}.`, { path, remedy });
}
