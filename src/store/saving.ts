import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ModelbenchError, throwIfAborted } from "../base/errors";
import type { JobOptions } from "../base/ports";
import { assertRoom, freeBytes, LARGE_BYTES } from "./archive/freeSpace";
import { storeFailure } from "./failure";
import type { FileDigest } from "./fileDigest";
import type { FileLayer } from "./fileLayer";
import { copyNewFile, digestFile, ensureFolder, syncTree, writeNewFile } from "./fileOperations";
import { MODEL_YAML, versionFolder } from "./layout";
import { readModelFolder, versionsOf } from "./lookup";
import type { ModelDraft, ModelInfo, SourceFile, StoredModel } from "./model";
import { modelFilesIn, statOf } from "./modelFiles";
import { parseModelInfo, renderModelInfo } from "./modelYaml/modelInfo";
import { newVersion } from "./newVersion";
import type { OriginNote } from "./origin";
import { assertOneDevice, assertVacant, publish } from "./publish";
import { stamped } from "./record";
import { insteadOf } from "./replace";
import { discardStaged, newStagingFolder, type StoreParts } from "./staging";
import { makeSavableTag } from "./tag";

/**
 * Copies files and a rendered model.yaml into staging, flushes all of it and renames it into the store.
 * @throws ModelbenchError `tag.invalid`, `model.exists`, `usage` for two files in one place, `file.access` for a
 *   source that cannot be read, `store.crossDevice`, `store.access`, `cancelled`
 */
export async function saveModel(
  parts: StoreParts,
  draft: ModelDraft,
  sources: readonly SourceFile[],
  options: JobOptions,
): Promise<StoredModel> {
  const tag = makeSavableTag(draft.name, draft.version ?? newVersion());
  assertPlaces(sources);
  assertVacant(parts, tag);
  const before = versionsOf(parts.layout, tag.name);
  const staged = await newStagingFolder(parts);
  try {
    await assertOneDevice(parts);
    const copied = await copySources(parts.files, staged, sources, options);
    const yaml = renderModelInfo({ ...draft, ...tag }, parts.now());
    await writeNewFile(parts.files, join(staged, MODEL_YAML), yaml);
    await syncTree(parts.files, staged, false);
    throwIfAborted(options.signal);
    const origin: OriginNote = { kind: "saved", from: sources[0]?.from };
    return await finish(parts, staged, parseModelInfo(yaml), { digests: copied, before, origin });
  } catch (error) {
    await discardStaged(parts, staged);
    throw storeFailure(error, "save a model to", parts.layout.home);
  }
}

/**
 * Adds model.yaml to a staged folder that holds all other files, and moves it into the store as `adoptModel` does.
 * When it fails the folder stays as it was given, for the caller to try another tag or to discard.
 * @throws ModelbenchError as `saveModel`
 */
export async function saveStaged(
  parts: StoreParts,
  draft: ModelDraft,
  staged: string,
  options: AdoptOptions,
): Promise<StoredModel> {
  const tag = makeSavableTag(draft.name, draft.version ?? newVersion());
  assertVacant(parts, tag);
  const path = join(staged, MODEL_YAML);
  try {
    await writeNewFile(parts.files, path, renderModelInfo({ ...draft, ...tag }, parts.now()));
    return await adoptModel(parts, staged, options);
  } catch (error) {
    await parts.files.unlink(path).catch(() => undefined);
    throw storeFailure(error, "save a model to", parts.layout.home);
  }
}

/** How a staged folder is adopted. */
export interface AdoptOptions extends JobOptions {
  /** What the caller wrote and flushed itself, model.yaml left out; else every file is read and flushed here. */
  readonly flushed?: ReadonlyMap<string, FileDigest>;
  /** What brought the model here; `unknown` when left out. */
  readonly origin?: OriginNote | undefined;
  /** Whether a version of this tag that is there already goes to the trash. */
  readonly replace?: boolean;
}

/**
 * Moves a complete folder from staging into the store; its model.yaml says under which tag. When it fails the
 * folder stays where it is, for the caller to try another tag or to discard.
 * @throws ModelbenchError `tag.invalid`, `yaml.invalid`, `model.broken` without a model.yaml, `model.exists`,
 *   `store.crossDevice`, `store.access`, `cancelled`
 */
export async function adoptModel(parts: StoreParts, staged: string, options: AdoptOptions): Promise<StoredModel> {
  const { info } = readModelFolder(staged);
  makeSavableTag(info.tag.name, info.tag.version);
  if (!options.replace) assertVacant(parts, info.tag);
  const before = versionsOf(parts.layout, info.tag.name);
  try {
    await assertOneDevice(parts);
    const digests = options.flushed ?? (await digestStaged(staged, options));
    await syncTree(parts.files, staged, options.flushed === undefined);
    throwIfAborted(options.signal);
    const enter = () => finish(parts, staged, info, { digests, before, origin: options.origin });
    return await (options.replace ? insteadOf(parts, info.tag, enter) : enter());
  } catch (error) {
    throw storeFailure(error, "add a model to", parts.layout.home);
  }
}

async function digestStaged(staged: string, options: JobOptions): Promise<Map<string, FileDigest>> {
  const files = modelFilesIn(staged).filter(({ path }) => path !== MODEL_YAML);
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const digests = new Map<string, FileDigest>();
  let doneBytes = 0;
  for (const { path } of files) {
    options.onProgress?.({ doneBytes, totalBytes, current: path });
    const digest = await digestFile(join(staged, path), options.signal);
    digests.set(path, digest);
    doneBytes += digest.bytes;
  }
  return digests;
}

/** What is known of a staged version beside its model.yaml. */
interface Arrival {
  readonly digests: ReadonlyMap<string, FileDigest>;
  readonly before: readonly string[];
  readonly origin: OriginNote | undefined;
}

async function finish(
  parts: StoreParts,
  staged: string,
  info: ModelInfo,
  { digests, before, origin }: Arrival,
): Promise<StoredModel> {
  const yaml = await digestFile(join(staged, MODEL_YAML));
  const files = stamped(staged, new Map([...digests, [MODEL_YAML, yaml]]));
  await publish(parts, staged, { info, files, before, origin });
  return { tag: info.tag, path: versionFolder(parts.layout, info.tag), info, warnings: [] };
}

/**
 * Copies files into a staged folder, each flushed, and answers with what they were.
 * @throws ModelbenchError `file.access` for a source that cannot be read, `store.access` when there is no room,
 *   `cancelled`
 */
export async function copySources(
  layer: FileLayer,
  staged: string,
  sources: readonly SourceFile[],
  { signal, onProgress }: JobOptions,
): Promise<Map<string, FileDigest>> {
  const totalBytes = sources.reduce((sum, { from }) => sum + (statOf(from)?.size ?? 0), 0);
  if (totalBytes >= LARGE_BYTES) assertRoom(totalBytes, freeBytes(staged), staged);
  const copied = new Map<string, FileDigest>();
  let doneBytes = 0;
  for (const { from, to } of sources) {
    throwIfAborted(signal);
    await ensureFolder(layer, dirname(join(staged, to)));
    const onBytes = (count: number): void => {
      doneBytes += count;
      onProgress?.({ doneBytes, totalBytes, current: to });
    };
    const source = await openSource(from);
    try {
      copied.set(to, await copyNewFile(layer, source, join(staged, to), { signal, onBytes }));
    } finally {
      await source.close();
    }
  }
  return copied;
}

async function openSource(path: string): ReturnType<typeof open> {
  try {
    // A pipe without a writer must not hang the save.
    const source = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if ((await source.stat()).isFile()) return source;
    await source.close();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelbenchError("file.access", `Cannot read ${path}: ${reason}.`, { path, cause: error });
  }
  throw new ModelbenchError("file.access", `Cannot read ${path}: it is not a plain file.`, { path });
}

function assertPlaces(sources: readonly SourceFile[]): void {
  const taken = new Map<string, string>([[MODEL_YAML, "the model's own description"]]);
  for (const { from, to } of sources) {
    const segments = to.split("/");
    if (segments.some((segment) => segment === "" || segment === "." || segment === ".." || segment.includes("\0"))) {
      throw new ModelbenchError("usage", `${from} cannot be stored as ${JSON.stringify(to)}: not a relative path.`);
    }
    const key = to.normalize("NFC").toLowerCase();
    const other = taken.get(key);
    if (other !== undefined) throw new ModelbenchError("usage", `${from} and ${other} would both be stored as ${to}.`);
    taken.set(key, from);
  }
}
