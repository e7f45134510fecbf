import { join } from "node:path";
import type { JobKey } from "../base/ports";
import { storeFailure } from "./failure";
import { nodeFiles } from "./fileLayer";
import { isFolderTag, type Layout, layoutOf } from "./layout";
import type { Tag } from "./model";
import { entriesOf } from "./modelFiles";
import { dropNote, putNote } from "./record";
import type { StoreParts } from "./staging";
import { formatTag } from "./tag";

/** Pins a version of the store at `home`, so that no clean-up takes it, or takes the pin off. */
export const pinModelJob: JobKey<{ readonly home: string; readonly tag: Tag; readonly pinned: boolean }, null> = {
  name: "store.pin",
};

/** The work behind `pinModelJob`. @throws ModelbenchError `store.access` */
export async function runPinModel(input: {
  readonly home: string;
  readonly tag: Tag;
  readonly pinned: boolean;
}): Promise<null> {
  await setPinned({ layout: layoutOf(input.home), files: nodeFiles, now: Date.now }, input.tag, input.pinned);
  return null;
}

/** The pinned versions as `name:version`. A version that was deleted keeps its pin, for the case that it is restored. */
export function pinnedTags({ pins }: Pick<Layout, "pins">): Set<string> {
  const tags = entriesOf(pins).flatMap((name) => entriesOf(join(pins, name)).map((version) => ({ name, version })));
  return new Set(tags.filter(isFolderTag).map(formatTag));
}

/** Sets or removes a version's pin; either twice is fine. @throws ModelbenchError `store.access` */
export async function setPinned(parts: StoreParts, { name, version }: Tag, pinned: boolean): Promise<void> {
  const path = join(parts.layout.pins, name, version);
  try {
    await (pinned ? putNote(parts, path, {}) : dropNote(parts, path));
  } catch (error) {
    throw storeFailure(error, pinned ? "pin in" : "unpin in", parts.layout.pins);
  }
}
