import { lstatSync } from "node:fs";
import { basename, join } from "node:path";
import { isFolderTag, type Layout } from "./layout";
import { readModelFolder } from "./lookup";
import type { Tag, TrashEntry } from "./model";
import { entriesOf, lstatOf } from "./modelFiles";
import { readNote } from "./record";

/** The version folder inside an entry. */
export const MODEL = "model";
/** The file inside an entry that says what it is. */
export const ENTRY = "entry.json";

/** What `entry.json` holds: the entry, and the texts of `latest` before and after, so that undo can be exact. */
export interface TrashRecord {
  readonly tag: Tag;
  /** Name of the folder it was staged in: nobody knows it before, so no file out of an archive can pose as a record. */
  readonly staged: string;
  readonly deletedMs: number;
  readonly wasLatest: boolean;
  readonly latestBefore: string | null;
  readonly latestAfter: string | null;
  readonly bytes?: number | undefined;
  /** Set for a folder whose name is no tag. */
  readonly stray?: true;
  /** Names the replacement that this deletion is a half of. */
  readonly replaced?: string | undefined;
}

/** What can be restored, the one deleted last first. */
export function trashEntries({ layout }: { readonly layout: Layout }): TrashEntry[] {
  return entriesOf(layout.trash)
    .flatMap((id) => {
      const record = recordOf(join(layout.trash, id));
      if (record === undefined || !holdsModel(join(layout.trash, id))) return [];
      return [entryOf(id, record)];
    })
    .sort((a, b) => b.deletedMs - a.deletedMs || (a.id < b.id ? 1 : -1));
}

/** An entry as it is shown. */
export function entryOf(id: string, { tag, deletedMs, wasLatest, bytes, stray }: TrashRecord): TrashEntry {
  return { id, tag, deletedMs, wasLatest, bytes, ...(stray ? { stray } : {}) };
}

/** Whether an entry holds its version; that may be a link, whose target is nobody's business here. */
export function holdsModel(entry: string): boolean {
  return lstatOf(join(entry, MODEL)) !== undefined;
}

/** Whether an entry's version is gone; of one that may not be looked into, another user's, nobody can say. */
export function isEmptied(entry: string): boolean {
  try {
    return lstatSync(join(entry, MODEL), { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** What an entry is, from its record or, where that is damaged, from its model; `undefined` when both are. */
export function recordOf(folder: string): TrashRecord | undefined {
  return writtenRecord(folder) ?? salvagedRecord(folder);
}

/** `undefined` for what is no entry, or one that was cut short. */
export function writtenRecord(folder: string): TrashRecord | undefined {
  const value = readNote(join(folder, ENTRY));
  return isRecord(value) ? value : undefined;
}

function salvagedRecord(folder: string): TrashRecord | undefined {
  const deletedMs = Number(/^[0-9]{1,15}(?=-)/.exec(basename(folder))?.[0] ?? Number.NaN);
  const tag = tagInside(join(folder, MODEL));
  if (tag === undefined || Number.isNaN(deletedMs)) return undefined;
  return { tag, staged: "", deletedMs, wasLatest: false, latestBefore: null, latestAfter: null };
}

function tagInside(model: string): Tag | undefined {
  try {
    return readModelFolder(model).tag;
  } catch {
    return undefined;
  }
}

function isRecord(value: object | undefined): value is TrashRecord {
  if (value === undefined) return false;
  if (!("tag" in value && "staged" in value && "deletedMs" in value && "wasLatest" in value)) return false;
  if (!("latestBefore" in value && "latestAfter" in value)) return false;
  const isStray = "stray" in value && value.stray === true;
  return (
    (isStray ? isPlace(value.tag) : isFolderTag(value.tag)) &&
    typeof value.staged === "string" &&
    typeof value.deletedMs === "number" &&
    typeof value.wasLatest === "boolean" &&
    isTextOrNull(value.latestBefore) &&
    isTextOrNull(value.latestAfter) &&
    (!("bytes" in value) || typeof value.bytes === "number") &&
    (!("replaced" in value) || typeof value.replaced === "string")
  );
}

/** Whether two names lead to a folder below `models/`, whatever they are otherwise. */
function isPlace(value: unknown): value is Tag {
  if (typeof value !== "object" || value === null || !("name" in value && "version" in value)) return false;
  return isEntryName(value.name) && (value.version === "" || isEntryName(value.version));
}

function isEntryName(value: unknown): boolean {
  return typeof value === "string" && /^[^/\0]+$/.test(value) && value !== "." && value !== "..";
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}
