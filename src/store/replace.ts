import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import { removeTree } from "./fileOperations";
import { isFolderTag, versionFolder } from "./layout";
import type { Tag } from "./model";
import { lstatOf } from "./modelFiles";
import { readNote, stageNote } from "./record";
import { discardStaged, type StoreParts } from "./staging";
import { moveFromTrash, moveToTrash } from "./trash";
import { trashEntries, writtenRecord } from "./trashRecord";

/** What a process that replaces a version leaves in staging until both halves are done. */
interface ReplacementNote {
  readonly tag: Tag;
  /** Stands in the record of the deleted version, too. */
  readonly token: string;
}

/**
 * Moves the version of this tag, if there is one, into the trash and lets another one enter in its place; when that
 * one does not, the old one comes back. A note in staging lets a sweep do the same for a process that was killed
 * between the two.
 * @throws ModelbenchError what `enter` throws, `store.access`, `store.crossDevice`
 */
export async function insteadOf<T>(parts: StoreParts, tag: Tag, enter: () => Promise<T>): Promise<T> {
  if (lstatOf(versionFolder(parts.layout, tag)) === undefined) return await enter();
  const token = randomUUID();
  const note = await noteReplacement(parts, { tag, token });
  let old: string | undefined;
  try {
    old = (await moveToTrash(parts, tag, { replaced: token })).id;
    const entered = await enter();
    await discardStaged(parts, note);
    return entered;
  } catch (error) {
    // Should this fail, too, the note stays for the sweep.
    await bringBack(parts, old)
      .then(() => discardStaged(parts, note))
      .catch(() => undefined);
    throw error;
  }
}

/** Whether a leftover in staging is the note of a replacement. */
export function isReplacement(staged: string): boolean {
  return readReplacement(staged) !== undefined;
}

/** Brings the old version back for a process that was stopped before the new one was in its place. */
export async function settleReplacement(parts: StoreParts, staged: string): Promise<void> {
  const note = readReplacement(staged);
  if (note && lstatOf(versionFolder(parts.layout, note.tag)) === undefined) {
    const old = trashEntries(parts).find(
      ({ id }) => writtenRecord(join(parts.layout.trash, id))?.replaced === note.token,
    );
    await bringBack(parts, old?.id);
  }
  await removeTree(parts.files, staged);
}

async function bringBack(parts: StoreParts, id: string | undefined): Promise<void> {
  if (id === undefined) return;
  try {
    await moveFromTrash(parts, id);
  } catch (error) {
    // Somebody else's is in its place, or it is back already.
    if (!(error instanceof ModelbenchError) || !["model.exists", "trash.notFound"].includes(error.code)) throw error;
  }
}

function noteReplacement(parts: StoreParts, note: ReplacementNote): Promise<string> {
  return stageNote(parts, { replace: note });
}

function readReplacement(path: string): ReplacementNote | undefined {
  const value = readNote(path);
  if (value === undefined || !("replace" in value) || typeof value.replace !== "object") return undefined;
  const note = value.replace;
  if (note === null || !("tag" in note && "token" in note)) return undefined;
  return isFolderTag(note.tag) && typeof note.token === "string" ? { tag: note.tag, token: note.token } : undefined;
}
