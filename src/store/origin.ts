import { join } from "node:path";
import type { Layout } from "./layout";
import type { ModelInfo, Tag } from "./model";
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
}

/** Where a version came from and when. */
export interface Origin extends OriginNote {
  /** Milliseconds since the epoch; of an unknown origin when the model was made. */
  readonly atMs: number;
}

/** Remembers where a version came from. */
export async function recordOrigin(parts: StoreParts, info: ModelInfo, origin: OriginNote): Promise<void> {
  const path = originPath(parts.layout, info.tag);
  await putNote(parts, path, { creationTime: creationKey(info), atMs: parts.now(), ...origin });
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
