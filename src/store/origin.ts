import { join } from "node:path";
import { type Layout, versionFolder } from "./layout";
import type { ModelInfo, StoredModel, Tag } from "./model";
import { statOf } from "./modelFiles";
import { type Provenance, readProvenance } from "./provenance";
import { creationKey, dropNote, noteAsNow, putNote, readNote } from "./record";
import type { StoreParts } from "./staging";

/** How a version came into the store. `unknown`: another program put it there. */
const KINDS = ["saved", "imported", "copied", "unknown"] as const;

/** What brought a version into the store. */
export interface OriginNote {
  readonly kind: (typeof KINDS)[number];
  /** The file, archive or tag that it was made from. */
  readonly from?: string | undefined;
  readonly detail?: string | undefined;
  /** What made it, where it was made from an object of a project. */
  readonly provenance?: Provenance | undefined;
  /** Of a copy: whether what it was copied from had come from elsewhere. */
  readonly isForeign?: boolean | undefined;
}

/** Where a version came from and when. */
export interface Origin extends OriginNote {
  /** Milliseconds since the epoch; of an unknown origin when the model was made. */
  readonly atMs: number;
}

/** Remembers where a version came from. */
export async function recordOrigin(parts: StoreParts, info: ModelInfo, origin: OriginNote): Promise<void> {
  const path = originPath(parts.layout, info.tag);
  const folder = placeOf(versionFolder(parts.layout, info.tag));
  await putNote(parts, path, { creationTime: creationKey(info), atMs: parts.now(), folder, ...origin });
}

/** Whether somebody else may have made it: only what was made here, and copies of that, are known not to be. */
export function isForeign(origin: Pick<Origin, "kind" | "isForeign">): boolean {
  return origin.kind !== "saved" && (origin.kind !== "copied" || origin.isForeign === true);
}

/**
 * The same as `readOrigin`, but believed only of the very folder that the note was written for: a store that was
 * cloned, unpacked or copied brings its notes along, and they may be made up. Nobody can choose when a folder was made.
 */
export function provenOrigin(layout: Layout, { info, path }: Pick<StoredModel, "info" | "path">): Origin {
  const origin = readOrigin(layout, info);
  const note = readNote(originPath(layout, info.tag));
  const isProven = note !== undefined && "folder" in note && note.folder !== "" && note.folder === placeOf(path);
  return isProven || isForeign(origin) ? origin : { kind: "unknown", atMs: info.creationTime.epochMs };
}

/** Tells a folder from every copy of it; a rename does not change it, nor a restart. Empty for nothing. */
function placeOf(path: string): string {
  const stat = statOf(path);
  return stat === undefined ? "" : `${stat.ino} ${stat.birthtimeMs}`;
}

/** Where this very version came from; `unknown` when nobody has written it down. */
export function readOrigin(layout: Layout, info: ModelInfo): Origin {
  const note = readNote(originPath(layout, info.tag));
  const unknown: Origin = { kind: "unknown", atMs: info.creationTime.epochMs };
  if (note === undefined || !("kind" in note && "atMs" in note && "creationTime" in note)) return unknown;
  const kind = KINDS.find((known) => known === note.kind);
  if (kind === undefined || typeof note.atMs !== "number" || note.creationTime !== creationKey(info)) return unknown;
  const provenance = "provenance" in note ? readProvenance(note.provenance) : undefined;
  return {
    kind,
    atMs: note.atMs,
    ...("from" in note && typeof note.from === "string" ? { from: note.from } : {}),
    ...("detail" in note && typeof note.detail === "string" ? { detail: note.detail } : {}),
    ...(provenance === undefined ? {} : { provenance }),
    ...("isForeign" in note && note.isForeign === true ? { isForeign: true } : {}),
  };
}

/** How to make what is remembered of a tag's origin again what it is now. */
export function originAsNow(parts: StoreParts, tag: Tag): () => Promise<void> {
  return noteAsNow(parts, originPath(parts.layout, tag));
}

/** Forgets where a version came from that is gone for good. */
export function forgetOrigin(parts: StoreParts, tag: Tag): Promise<void> {
  return dropNote(parts, originPath(parts.layout, tag));
}

function originPath(layout: Layout, { name, version }: Tag): string {
  return join(layout.origins, name, `${version}.json`);
}
