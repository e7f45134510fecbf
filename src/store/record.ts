import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errno, storeFailure } from "./failure";
import type { FileDigest } from "./fileDigest";
import { digestFile, ensureFolder, writeNewFile } from "./fileOperations";
import { type Layout, MODEL_YAML } from "./layout";
import type { ModelInfo, Tag } from "./model";
import { lstatOf } from "./modelFiles";
import { discardStaged, newStagingPath, type StoreParts } from "./staging";

/** What tells, without reading a file, that nobody has written to it: a rename of its folder changes none of it. */
interface FileStamp {
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

/** What is remembered of one file. */
export interface RecordedFile extends FileDigest {
  /** Missing in records of the first version. */
  readonly stamp?: FileStamp | undefined;
}

/** What every file of a version was when it was saved, by path inside the version. */
export type FileRecord = ReadonlyMap<string, RecordedFile>;

/** Adds to the digests of a folder's files when they were last written. */
export function stamped(folder: string, digests: ReadonlyMap<string, FileDigest>): FileRecord {
  return new Map([...digests].map(([path, digest]) => [path, { ...digest, stamp: stampOf(join(folder, path)) }]));
}

/** Whether a file's size and times are those recorded; of an old record nobody can say. */
export function isUntouched(path: string, { bytes, stamp }: RecordedFile): boolean {
  const stat = lstatOf(path);
  if (stamp === undefined || stat?.size !== bytes) return false;
  return stat.mtimeMs === stamp.mtimeMs && stat.ctimeMs === stamp.ctimeMs && stat.ino === stamp.ino;
}

/** Remembers what the files of a version are, so that a check can tell later whether they still are. */
export async function recordFiles(parts: StoreParts, info: ModelInfo, record: FileRecord): Promise<void> {
  await putNote(parts, recordPath(parts.layout, info.tag), {
    creationTime: creationKey(info),
    files: Object.fromEntries(record),
  });
}

/** Takes a version's model.yaml as it is now for what was saved; of a version without a record nothing is noted. */
export async function recordYaml(parts: StoreParts, info: ModelInfo, folder: string): Promise<void> {
  const record = readRecord(parts.layout, info, folder);
  if (record === undefined) return;
  const path = join(folder, MODEL_YAML);
  // Stamped before it is read: what somebody writes meanwhile is an edit of theirs, no damage.
  const stamp = stampOf(path);
  const digest = await digestFile(path);
  await recordFiles(parts, info, new Map([...record, [MODEL_YAML, { ...digest, stamp }]]));
}

/** How to make the record of a tag again what it is now. */
export function recordAsNow(parts: StoreParts, tag: Tag): () => Promise<void> {
  return noteAsNow(parts, recordPath(parts.layout, tag));
}

/** Forgets the record of a version that is gone for good. */
export function forgetFiles(parts: StoreParts, tag: Tag): Promise<void> {
  return dropNote(parts, recordPath(parts.layout, tag));
}

/**
 * The record of this very version; `undefined` when there is none, or one of an earlier version of the same tag.
 * @param folder the version's: with it a model.yaml whose creation was changed in place is known for what it is
 */
export function readRecord(layout: Layout, info: ModelInfo, folder?: string): FileRecord | undefined {
  const value = readNote(recordPath(layout, info.tag));
  if (value === undefined || !("files" in value && "creationTime" in value)) return undefined;
  if (typeof value.files !== "object" || value.files === null) return undefined;
  const record = recordedFiles(value.files);
  const isThis = value.creationTime === creationKey(info) || (folder !== undefined && isInPlace(folder, record));
  return isThis ? record : undefined;
}

/** Another creation in the same file among the same files is no other version, but a damage or an edit. */
function isInPlace(folder: string, record: FileRecord): boolean {
  const yaml = record.get(MODEL_YAML);
  const path = join(folder, MODEL_YAML);
  if (yaml === undefined || yaml.stamp === undefined) return false;
  if (isUntouched(path, yaml)) return true;
  const others = [...record].filter(([file]) => file !== MODEL_YAML);
  const isSameFile = lstatOf(path)?.ino === yaml.stamp.ino;
  return isSameFile && others.length > 0 && others.every(([file, was]) => isUntouched(join(folder, file), was));
}

function recordedFiles(files: object): FileRecord {
  const entries = Object.entries(files).flatMap(([path, file]): [string, RecordedFile][] => {
    const recorded = recordedFile(file);
    return recorded === undefined || isOutside(path) ? [] : [[path, recorded]];
  });
  return new Map(entries);
}

/** A peer may delete a version and save another one under its tag without telling us: its creation differs. */
export function creationKey({ creationTime }: ModelInfo): string {
  return `${creationTime.epochMs}.${creationTime.micros}`;
}

/** Writes a small JSON file into staging, for a sweep to find; answers with its path. @throws ModelbenchError `store.access` */
export async function stageNote(parts: StoreParts, value: object): Promise<string> {
  const path = await newStagingPath(parts);
  try {
    await writeNewFile(parts.files, path, JSON.stringify(value));
    return path;
  } catch (error) {
    await discardStaged(parts, path);
    throw storeFailure(error, "write to", path);
  }
}

/** Writes a small JSON file of ours, whole or not at all, in place of an earlier one. */
export async function putNote(parts: StoreParts, path: string, value: object): Promise<void> {
  const { files } = parts;
  const staged = await newStagingPath(parts);
  try {
    await writeNewFile(files, staged, JSON.stringify(value));
    await ensureFolder(files, dirname(path));
    await files.rename(staged, path);
    await files.sync(dirname(path));
  } catch (error) {
    await discardStaged(parts, staged);
    throw error;
  }
}

/** What a small JSON file of ours holds; `undefined` when it is missing or damaged. */
export function readNote(path: string): object | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** How to make a small file of ours again what it is now. */
export function noteAsNow(parts: StoreParts, path: string): () => Promise<void> {
  const value = readNote(path);
  return () => (value === undefined ? dropNote(parts, path) : putNote(parts, path, value));
}

/** Removes a small file of ours; one that is not there is fine. */
export async function dropNote({ files }: StoreParts, path: string): Promise<void> {
  await files.unlink(path).catch((error) => {
    if (errno(error) !== "ENOENT") throw error;
  });
}

function recordPath(layout: Layout, { name, version }: Tag): string {
  return join(layout.digests, name, `${version}.json`);
}

function stampOf(path: string): FileStamp | undefined {
  const stat = lstatOf(path);
  return stat && { mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs, ino: stat.ino };
}

/** The record is a file that anybody may have written: it must not make us read outside of the version. */
function isOutside(path: string): boolean {
  return path.split("/").some((segment) => segment === "" || segment === "." || segment === "..");
}

function recordedFile(value: unknown): RecordedFile | undefined {
  if (typeof value !== "object" || value === null || !("bytes" in value && "sha256" in value)) return undefined;
  const { bytes, sha256 } = value;
  if (typeof bytes !== "number" || typeof sha256 !== "string") return undefined;
  const blocks = "blocks" in value && typeof value.blocks === "string" ? value.blocks : undefined;
  return { bytes, sha256, blocks, stamp: "stamp" in value ? stampFrom(value.stamp) : undefined };
}

function stampFrom(value: unknown): FileStamp | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!("mtimeMs" in value && "ctimeMs" in value && "ino" in value)) return undefined;
  const { mtimeMs, ctimeMs, ino } = value;
  if (typeof mtimeMs !== "number" || typeof ctimeMs !== "number" || typeof ino !== "number") return undefined;
  return { mtimeMs, ctimeMs, ino };
}
