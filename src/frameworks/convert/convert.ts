import { createHash } from "node:crypto";
import { basename } from "node:path";
import { ModelbenchError, throwIfAborted } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { elementCount, itemSize } from "../../formats/elements";
import { openFileReader } from "../../formats/fileReader";
import { readFlaxHeader } from "../../formats/flaxMsgpack/header";
import type { StoredNode } from "../../formats/flaxMsgpack/stored";
import { quoted } from "../../formats/safetensors/quoted";
import { claimedFormat } from "../../formats/sniff";
import type { TensorData } from "../../formats/tensorData";
import { assertFree, type BesideFile, makeFileBeside, replaceFileBeside } from "../../store/archive/beside";
import { Pace } from "../../store/pace";
import type { FileContent } from "../content";
import { openContent } from "../contentFormats";
import { openFlaxFile } from "../flaxFile";
import { assertReplaceable } from "../replaceable";
import { openSafetensorsFile } from "../safetensorsFile";
import { LEAVES_KEY, leafJson, leafOf, readKeptLeaves } from "./keptLeaves";
import type { ConversionPlan, Converted, ConvertibleFormat, ConvertOptions, Dropped, Planned } from "./plan";
import { planFlax } from "./toFlax";
import { planSafetensors } from "./toSafetensors";

/** What a conversion takes. */
export interface ConvertInput {
  /** Absolute. */
  readonly source: string;
  /** What the result is to be. */
  readonly to: ConvertibleFormat;
  readonly options: ConvertOptions;
}

/** The format that a destination's name asks for. @throws ModelbenchError `usage` for any other */
export function formatToWrite(destination: string): ConvertibleFormat {
  const format = claimedFormat(destination);
  if ((format === "safetensors" || format === "flax-msgpack") && !/\.json$/i.test(destination)) return format;
  throw new ModelbenchError("usage", `${destination}: a conversion writes .safetensors or .msgpack files.`);
}

/**
 * What a conversion would make, and what it would leave out; writes nothing.
 * @throws ModelbenchError `usage` where there is nothing to convert, those of opening the files
 */
export function previewConversion(input: ConvertInput): ConversionPlan {
  const opened = openPlanned(input);
  opened.content.close();
  return opened.plan;
}

/**
 * Checks that a conversion may write there, before it reads anything.
 * @param destination absolute; taken from another file only when `replace` says so, and never a link or inside a version
 * @throws ModelbenchError `file.access`
 */
export function assertDestination(destination: string, replace: boolean): void {
  assertReplaceable(destination, "a conversion", "Name a file elsewhere.");
  if (!replace) assertFree(destination, "Name another file, or replace that one (--replace).");
}

/**
 * Converts a file. The result is written beside its place, each tensor compared by its digest with the source, and only
 * then given its name.
 * @param destination as `assertDestination` takes it
 * @throws ModelbenchError `convert.lossy` when something would be left out and may not, `cancelled`, those of
 *   `assertDestination` and `previewConversion`
 */
export async function convertFile(
  input: ConvertInput,
  destination: string,
  replace: boolean,
  options: JobOptions,
): Promise<Converted> {
  assertDestination(destination, replace);
  const { content, planned, plan } = openPlanned(input);
  try {
    if (plan.dropped.length > 0 && !input.options.drop) throw lossy(input, plan.dropped);
    // Read to be written, and read again on both sides to be compared.
    const progress = new Progress(plan.tensorBytes * 3, options);
    const write = replace ? replaceFileBeside : makeFileBeside;
    const bytes = await write(destination, (file) => fill(file, content, planned, plan.to, progress), options.signal);
    return { ...plan, path: destination, bytes };
  } finally {
    content.close();
  }
}

/** The failure that names what would be left out. */
function lossy({ source, to, options }: ConvertInput, dropped: readonly Dropped[]): ModelbenchError {
  const [first] = dropped;
  const name = quoted(first?.name ?? "");
  const more = dropped.length - 1;
  const others = more > 0 ? ` So would ${more} ${more === 1 ? "other" : "others"}.` : "";
  const message = `${source}: ${name} would be left out: it ${first?.reason}.${others}`;
  return new ModelbenchError("convert.lossy", message, {
    path: source,
    remedy: `${to === "safetensors" && !options.leaves ? "Keep leaves as JSON (--leaves), or leave" : "Leave"} these out (--drop).`,
  });
}

interface Opened {
  readonly content: FileContent;
  readonly planned: Planned;
  readonly plan: ConversionPlan;
}

function openPlanned({ source, to, options }: ConvertInput): Opened {
  const { format, content } = openContent(source);
  try {
    if (format !== "safetensors" && format !== "flax-msgpack") {
      throw new ModelbenchError("usage", `${source}: only flax MessagePack and safetensors files are converted.`);
    }
    if (format === "flax-msgpack" && to === format) {
      throw new ModelbenchError("usage", `${source}: is a MessagePack file already.`);
    }
    const planned =
      to === "safetensors" ? planSafetensors(content, format !== to, options) : planFrom(content, options);
    const { dropped, metadata, arrays, changed } = planned;
    const tensorBytes = arrays.reduce((sum, { index }) => sum + (content.tensors[index]?.bytes ?? 0), 0);
    const counts = { tensors: arrays.length, tensorBytes };
    return {
      content,
      planned,
      plan: { source, from: format, to, ...counts, dropped, changed: changed.list(), metadata },
    };
  } catch (error) {
    content.close();
    throw error;
  }
}

function planFrom(content: FileContent, { metadata, leaves, like }: ConvertOptions): Planned {
  if (leaves || (metadata?.size ?? 0) > 0) {
    throw new ModelbenchError("usage", "A MessagePack file has no metadata: nothing can be put into it.");
  }
  return planFlax(content, like === undefined ? undefined : structureOf(like));
}

function structureOf(path: string): StoredNode {
  const reader = openFileReader(path);
  try {
    return readFlaxHeader(reader, path).root;
  } finally {
    reader.close();
  }
}

async function fill(
  file: BesideFile,
  source: FileContent,
  planned: Planned,
  to: ConvertibleFormat,
  progress: Progress,
): Promise<void> {
  for (const piece of planned.pieces(source)) {
    await file.append(piece);
    await progress.add(piece.length);
  }
  const result = reopened(file.path, to);
  try {
    verifyRest(result, planned, to);
    await verify(source, result, planned, progress);
  } finally {
    result.close();
  }
}

/** Nobody has seen the name that the result is written under: failures do not say it. */
function reopened(path: string, to: ConvertibleFormat): FileContent {
  const open = to === "safetensors" ? openSafetensorsFile : openFlaxFile;
  try {
    return open(path, basename(path));
  } catch (error) {
    if (!(error instanceof ModelbenchError)) throw error;
    const message = error.message.replaceAll(`${path}: `, "");
    throw new ModelbenchError(error.code, `The converted file could not be read and was removed: ${message}`, {
      cause: error,
    });
  }
}

/** Every leaf that was planned is there, and no other; so is the metadata. */
function verifyRest(result: FileContent, { leaves, metadata }: Planned, to: ConvertibleFormat): void {
  for (const [key, text] of metadata) {
    if (result.metadata.get(key) !== text) throw unequal(`the metadata ${key} differs`);
  }
  // Leaves that a safetensors file brought along are metadata like any other.
  if (to === "safetensors" && leaves.length === 0) return;
  const found = leavesIn(result, to);
  if (found.length !== leaves.length) throw unequal(`${found.length} leaves were written, not ${leaves.length}`);
  const wanted = new Set(leaves);
  const other = found.find((leaf) => !wanted.delete(leaf));
  if (other !== undefined) throw unequal(`the leaf ${other.slice(0, 200)} was not in it`);
}

function leavesIn(content: FileContent, format: ConvertibleFormat): string[] {
  if (format === "safetensors") return readKeptLeaves(content.metadata.get(LEAVES_KEY) ?? "[]").map(leafJson);
  return content.tensors.flatMap(({ dtype }, index) => (dtype === null ? [leafJson(leafOf(content, index))] : []));
}

/** Every array that was planned is there once, with the values of its source, and no other. */
async function verify(
  source: FileContent,
  result: FileContent,
  { arrays }: Planned,
  progress: Progress,
): Promise<void> {
  const places = new Map<string, number>();
  result.tensors.forEach(({ path, dtype }, index) => {
    if (dtype !== null) places.set(JSON.stringify(path), index);
  });
  if (places.size !== arrays.length) throw unequal(`${places.size} tensors were written, not ${arrays.length}`);
  for (const { index, path } of arrays) {
    const place = places.get(JSON.stringify(path));
    if (place === undefined) throw unequal(`${path.join("/")} is missing`);
    const [was, is] = [
      await valueDigest(source.data(index), progress),
      await valueDigest(result.data(place), progress),
    ];
    if (was !== is) throw unequal(`the values of ${path.join("/")} differ`);
  }
}

function unequal(what: string): ModelbenchError {
  return new ModelbenchError("internal", `The converted file is not equal to its source and was removed: ${what}.`);
}

/** Bytes of values that are digested at once. */
const PIECE_BYTES = 1 << 20;

/** SHA-256 over type, shape and values, one element a byte where formats pack them. */
async function valueDigest(data: TensorData, progress: Progress): Promise<string> {
  const hash = createHash("sha256").update(`${data.dtype} ${data.shape.join()}\n`);
  const count = elementCount(data.shape);
  const atOnce = Math.floor(PIECE_BYTES / (itemSize(data.dtype) ?? 1));
  for (let start = 0; start < count; start += atOnce) {
    const piece = data.read(start, Math.min(atOnce, count - start));
    hash.update(piece);
    await progress.add(piece.length);
  }
  return hash.digest("hex");
}

/** Tells how far the work is, and lets a cancel arrive. */
class Progress {
  readonly #total: number;
  readonly #options: JobOptions;
  readonly #pace = new Pace();
  #done = 0;

  constructor(total: number, options: JobOptions) {
    this.#total = total;
    this.#options = options;
  }

  async add(bytes: number): Promise<void> {
    throwIfAborted(this.#options.signal);
    this.#done += bytes;
    this.#options.onProgress?.({ doneBytes: Math.min(this.#done, this.#total), totalBytes: this.#total });
    await this.#pace.rest();
  }
}
