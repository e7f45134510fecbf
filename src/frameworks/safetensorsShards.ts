import { dirname, join } from "node:path";
import { ModelbenchError, type Warning } from "../base/errors";
import type { FileReader, openFileReader } from "../formats/fileReader";
import { FolderFiles, plainLocation } from "../formats/folderFiles";
import { readSafetensorsHeader, type SafetensorsEntry } from "../formats/safetensors/header";
import { quoted } from "../formats/safetensors/quoted";
import { readShardIndex, type ShardIndex } from "../formats/safetensors/shardIndex";
import { safetensorsData } from "../formats/safetensors/values";
import type { FileContent, MetadataConflict, ShardFile, StoredTensor } from "./content";
import { safetensorsFacts } from "./safetensorsFacts";

/** Shards that stay open: values are mostly read one tensor after another. */
const KEPT_OPEN = 4;

interface PlacedEntry {
  readonly shard: ShardFile & { readonly place: string };
  readonly entry: SafetensorsEntry;
}

/**
 * Opens the shards that a `model.safetensors.index.json` names: one content with the tensors of all, shard by shard. A
 * shard must lie in the index's folder, also through links, and hold every tensor that is mapped to it; no tensor may be
 * in two.
 * @throws ModelbenchError `format.corrupt` for a damaged index or shard, `file.access` for a missing one,
 *   `budget.exceeded`
 */
export function openSafetensorsShards(path: string, name: string, open: typeof openFileReader): FileContent {
  const index = readIndex(path, open);
  const opened = new Shards(path, open);
  for (const [tensor, file] of index.weightMap) opened.expect(tensor, file);
  opened.readAll(name);
  opened.checkTotal(index);
  return {
    tensors: opened.tensors,
    metadata: opened.metadata.values,
    metadataConflicts: opened.metadata.conflicts,
    shards: opened.shards,
    warnings: [...opened.warnings, ...opened.metadata.warnings(path)],
    data: (at) => opened.data(at),
    close: () => opened.close(),
  };
}

function readIndex(path: string, open: typeof openFileReader): ShardIndex {
  const reader = open(path);
  try {
    return readShardIndex(reader, path);
  } finally {
    reader.close();
  }
}

/** What `pytorch_model.bin.index.json` and `flax_model.msgpack.index.json` name, which have the form of our index. */
const OTHERS: readonly (readonly [RegExp, words: string])[] = [
  [/\.(bin|pt|pth)$/i, "a shard of PyTorch"],
  [/\.msgpack$/i, "a shard of Flax"],
];
/** Shards that a warning names. */
const NAMED = 3;

/** The metadata of all shards: of a key the first value, and which shards have another one. */
class ShardMetadata {
  readonly values = new Map<string, string>();
  readonly #owners = new Map<string, string>();
  readonly #others = new Map<string, string[]>();

  add(key: string, value: string, place: string): void {
    const known = this.values.get(key);
    if (known === undefined) {
      this.values.set(key, value);
      this.#owners.set(key, place);
    } else if (known !== value) this.#others.set(key, [...(this.#others.get(key) ?? []), place]);
  }

  get conflicts(): MetadataConflict[] {
    return [...this.#others].map(([key, others]) => ({ key, kept: this.#owners.get(key) ?? "", others }));
  }

  /** @param path of the index */
  warnings(path: string): Warning[] {
    return this.conflicts.map(({ key, kept, others }) => {
      const more = others.length > NAMED ? ` and ${others.length - NAMED} more` : "";
      const named = `${others.slice(0, NAMED).join(", ")}${more}`;
      const message = `${path}: the metadata ${quoted(key)} has another value in ${named} than in ${kept}, whose value is read.`;
      return { code: "safetensors.metadata", message, path };
    });
  }
}

class Shards {
  readonly tensors: StoredTensor[] = [];
  readonly metadata = new ShardMetadata();
  readonly warnings: Warning[] = [];
  readonly shards: ShardFile[] = [];
  readonly #path: string;
  readonly #open: typeof openFileReader;
  readonly #folder: FolderFiles;
  /** By name: the tensors it must hold. */
  readonly #wanted = new Map<string, Set<string>>();
  readonly #places: PlacedEntry[] = [];
  /** The one used last is at the end. */
  readonly #readers = new Map<string, FileReader>();

  constructor(path: string, open: typeof openFileReader) {
    this.#path = path;
    this.#open = open;
    this.#folder = new FolderFiles(dirname(path));
  }

  expect(tensor: string, name: string): void {
    const other = OTHERS.find(([pattern]) => pattern.test(name));
    if (other) {
      const message = `${this.#path}: names ${quoted(name)}, ${other[1]}; indexes of safetensors files are read.`;
      const remedy = "Open the shards one by one.";
      throw new ModelbenchError("format.mismatch", message, { path: this.#path, remedy });
    }
    // One shard, also where it is named with and without `./`.
    const file = plainLocation(name) ?? name;
    const wanted = this.#wanted.get(file);
    if (wanted) wanted.add(tensor);
    else this.#wanted.set(file, new Set([tensor]));
  }

  /** @param name of the index, as the facts call it: its shards are beside it */
  readAll(name: string): void {
    const owners = new Map<string, string>();
    for (const [file, wanted] of this.#wanted) {
      const place = this.#placeOf(file);
      const entries = this.#readShard(join(dirname(name), place), place);
      for (const { name: tensor } of entries) {
        const other = owners.get(tensor);
        if (other !== undefined)
          throw this.#wrong(`the tensor ${quoted(tensor)} is in two shards, ${other} and ${place}`);
        owners.set(tensor, place);
        if (!wanted.delete(tensor)) this.#unmapped(tensor, place);
      }
      const [missing] = wanted;
      if (missing !== undefined)
        throw this.#wrong(`the tensor ${quoted(missing)} is not in ${place}, where the index has it`);
    }
  }

  checkTotal({ totalBytes }: ShardIndex): void {
    const found = this.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    if (totalBytes === null || totalBytes === BigInt(found)) return;
    const message = `${this.#path}: gives a total_size of ${totalBytes} bytes, the tensors have ${found}.`;
    this.warnings.push({ code: "safetensors.totalSize", message, path: this.#path });
  }

  data(index: number): ReturnType<FileContent["data"]> {
    const placed = this.#places[index];
    if (!placed) throw new ModelbenchError("internal", `${this.#path}: has no tensor ${index}.`);
    return safetensorsData(this.#reader(placed.shard.place), placed.entry);
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.close();
    this.#readers.clear();
  }

  #readShard(name: string, place: string): readonly SafetensorsEntry[] {
    const path = join(dirname(this.#path), place);
    const reader = this.#open(path);
    try {
      const header = readSafetensorsHeader(reader, path);
      const { tensors, metadata, warnings } = safetensorsFacts(header, reader, name, path);
      const shard = { path: name, bytes: reader.size, place };
      this.shards.push({ path: name, bytes: reader.size });
      for (const tensor of tensors) this.tensors.push(tensor);
      for (const entry of header.entries) this.#places.push({ shard, entry });
      for (const [key, value] of metadata) this.metadata.add(key, value, place);
      this.warnings.push(...warnings);
      return header.entries;
    } finally {
      reader.close();
    }
  }

  #placeOf(file: string): string {
    const place = plainLocation(file);
    if (place === undefined) throw this.#wrong(`the shard ${quoted(file)} is not a plain name in the index's folder`);
    const found = this.#folder.find(place);
    if (!("code" in found)) return place;
    const message = `${this.#path}: the shard ${quoted(file)} ${found.message}.`;
    throw new ModelbenchError(found.code === "path" ? "format.corrupt" : "file.access", message, { path: this.#path });
  }

  #unmapped(tensor: string, place: string): void {
    if (this.warnings.some(({ code }) => code === "safetensors.unmapped")) return;
    const message = `${this.#path}: does not name the tensor ${quoted(tensor)} of ${place}, or others either.`;
    this.warnings.push({ code: "safetensors.unmapped", message, path: this.#path });
  }

  #reader(place: string): FileReader {
    const path = join(dirname(this.#path), place);
    const reader = this.#readers.get(place) ?? this.#open(path);
    this.#readers.delete(place);
    this.#readers.set(place, reader);
    const [oldest] = this.#readers;
    if (this.#readers.size > KEPT_OPEN && oldest) {
      this.#readers.delete(oldest[0]);
      oldest[1].close();
    }
    return reader;
  }

  #wrong(what: string): ModelbenchError {
    return new ModelbenchError("format.corrupt", `${this.#path}: ${what}.`, { path: this.#path });
  }
}
