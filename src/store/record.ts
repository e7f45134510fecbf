import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errno } from "./failure";
import { type CopiedFile, ensureFolder, writeNewFile } from "./fileOperations";
import type { Layout } from "./layout";
import type { ModelInfo, Tag } from "./model";
import { discardStaged, newStagingPath, type StoreParts } from "./staging";

/** Size and digest of every file of a version but its model.yaml, by path inside the version. */
export type FileRecord = ReadonlyMap<string, CopiedFile>;

/** Remembers what the files of a version are, so that a check can tell later whether they still are. */
export async function recordFiles(parts: StoreParts, info: ModelInfo, record: FileRecord): Promise<void> {
  const { files, layout } = parts;
  const document = { creationTime: creationKey(info), files: Object.fromEntries(record) };
  const staged = await newStagingPath(parts);
  try {
    await writeNewFile(files, staged, JSON.stringify(document));
    await ensureFolder(files, join(layout.digests, info.tag.name));
    await files.rename(staged, recordPath(layout, info.tag));
  } catch (error) {
    await discardStaged(parts, staged);
    throw error;
  }
}

/** Forgets the record of a version that is gone for good. */
export async function forgetFiles({ files, layout }: StoreParts, tag: Tag): Promise<void> {
  await files.unlink(recordPath(layout, tag)).catch((error) => {
    if (errno(error) !== "ENOENT") throw error;
  });
}

/** The record of this very version; `undefined` when there is none, or one of an earlier version of the same tag. */
export function readRecord(layout: Layout, info: ModelInfo): FileRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(recordPath(layout, info.tag), "utf8"));
    if (typeof value !== "object" || value === null || !("files" in value && "creationTime" in value)) return undefined;
    if (value.creationTime !== creationKey(info) || typeof value.files !== "object" || !value.files) return undefined;
    const entries = Object.entries(value.files).filter((entry): entry is [string, CopiedFile] => isCopied(entry[1]));
    return new Map(entries);
  } catch {
    return undefined;
  }
}

/** A peer may delete a version and save another one under its tag without telling us: its creation differs. */
function creationKey({ creationTime }: ModelInfo): string {
  return `${creationTime.epochMs}.${creationTime.micros}`;
}

function recordPath(layout: Layout, { name, version }: Tag): string {
  return join(layout.digests, name, `${version}.json`);
}

function isCopied(value: unknown): value is CopiedFile {
  if (typeof value !== "object" || value === null || !("bytes" in value && "sha256" in value)) return false;
  return typeof value.bytes === "number" && typeof value.sha256 === "string";
}
