import type { Layout } from "./layout";
import { putNote, readNote } from "./record";
import type { StoreParts } from "./staging";

/** How long a deleted version can be restored unless the user chose another time. */
const TRASH_KEPT_MS = 7 * 24 * 3600 * 1000;

/** For how long this store keeps what is deleted: everybody who purges it must go by the same time. */
export function keptMsOf({ kept }: Layout): number {
  const note = readNote(kept);
  const isTime = note && "keptMs" in note && typeof note.keptMs === "number" && note.keptMs >= 0;
  return isTime ? (note.keptMs as number) : TRASH_KEPT_MS;
}

/** Changes for how long this store keeps what is deleted. Failures are those of the file system. */
export async function keepFor(parts: StoreParts, keptMs: number): Promise<void> {
  if (keptMs !== keptMsOf(parts.layout)) await putNote(parts, parts.layout.kept, { keptMs });
}
