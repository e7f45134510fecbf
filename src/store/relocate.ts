import { storeFailure } from "./failure";
import { nameFolder, versionFolder } from "./layout";
import { essentialsOf, latestText, newestOf, versionsOf } from "./lookup";
import type { Tag } from "./model";
import { identityOf } from "./modelFiles";
import { flushPlace, moveIntoPlace, noteIntent, shouldBeLatest } from "./publish";
import { discardStaged, putLatest, type StoreParts } from "./staging";

/**
 * Renames a version's folder to the tag that its model.yaml names: `latest` of the old name moves away first, as for
 * a deletion, and `latest` of the new one follows, as for a save. When it fails both are as before, as far as the
 * disk still allows.
 * @throws ModelbenchError `model.exists` when that tag is taken, `store.access`, `store.crossDevice`
 */
export async function relocate(parts: StoreParts, from: Tag, to: Tag): Promise<void> {
  const { layout } = parts;
  const before = { from: latestText(layout, from.name), to: latestText(layout, to.name) };
  const own = identityOf(versionFolder(layout, from));
  const intent = await noteIntent(parts, to);
  try {
    await leaveLatest(parts, from);
    await moveIntoPlace(parts, versionFolder(layout, from), to);
    await flushPlace(parts, from.name);
    await flushPlace(parts, to.name);
    const creation = essentialsOf(layout, to);
    if (creation && shouldBeLatest(parts, to, creation)) await putLatest(parts, to.name, to.version);
  } catch (error) {
    await moveBack(parts, from, to, { ...before, own })
      .then(() => discardStaged(parts, intent))
      .catch(() => undefined);
    throw storeFailure(error, "rename", versionFolder(layout, from));
  }
  await parts.files.rmdir(nameFolder(layout, from.name)).catch(() => undefined);
  await discardStaged(parts, intent);
}

async function leaveLatest(parts: StoreParts, { name, version }: Tag): Promise<void> {
  const { layout } = parts;
  const others = versionsOf(layout, name).filter((other) => other !== version);
  const isNamed = latestText(layout, name)?.trim() === version;
  if (isNamed || others.length === 0) await putLatest(parts, name, newestOf(layout, name, others));
}

async function moveBack(
  parts: StoreParts,
  from: Tag,
  to: Tag,
  before: { readonly from: string | undefined; readonly to: string | undefined; readonly own: string },
): Promise<void> {
  const { files, layout } = parts;
  // A peer's may be there instead.
  if (identityOf(versionFolder(layout, to)) === before.own) {
    if (from.name !== to.name && latestText(layout, to.name) !== before.to) await putLatest(parts, to.name, before.to);
    await files.rename(versionFolder(layout, to), versionFolder(layout, from));
    await files.rmdir(nameFolder(layout, to.name)).catch(() => undefined);
  }
  // Deleted by a peer it is not to be named again.
  if (identityOf(versionFolder(layout, from)) !== before.own) return;
  if (latestText(layout, from.name) !== before.from) await putLatest(parts, from.name, before.from);
}
