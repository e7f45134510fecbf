import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import { alone } from "./editLock";
import { errno, storeFailure } from "./failure";
import { writeNewFile } from "./fileOperations";
import { MODEL_YAML, versionFolder } from "./layout";
import { readModel } from "./lookup";
import type { Tag } from "./model";
import { isLink, statOf } from "./modelFiles";
import { editModelInfo, type ModelEdit } from "./modelYaml/editModelInfo";
import { decodeModelYaml, parseModelInfo } from "./modelYaml/modelInfo";
import { readRecord, recordFiles, recordYaml } from "./record";
import { SmallFileReader } from "./smallFileReader";
import { discardStaged, newStagingPath, type StoreParts } from "./staging";
import { formatTag } from "./tag";

/** How often an edit is made anew on a file that another program changes at the same time. */
const ATTEMPTS = 10;

/**
 * Edits a version's model.yaml in place and answers whether it changed. The new text is complete on the disk before
 * it takes the old one's place. An edit of another program in the meantime is kept: ours is made on top of it.
 * @throws ModelbenchError `model.notFound`, `model.broken`, `yaml.invalid`, `usage`, `store.access`
 */
export async function editModel(parts: StoreParts, tag: Tag, edit: ModelEdit): Promise<boolean> {
  // A version that cannot be read is refused before anything is made for it.
  readModel(parts.layout, tag);
  const path = join(versionFolder(parts.layout, tag), MODEL_YAML);
  if (isLink(path)) {
    throw new ModelbenchError("model.broken", `${path} is a link: what it leads to is not edited.`, { path });
  }
  try {
    return await alone(parts, tag, () => rewrite(parts, tag, path, edit));
  } catch (error) {
    throw storeFailure(error, "edit", path);
  }
}

async function rewrite(parts: StoreParts, tag: Tag, path: string, edit: ModelEdit): Promise<boolean> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const before = readWhole(path);
    const text = decodeModelYaml(before);
    const edited = editModelInfo(text, edit, path);
    if (edited === text) return false;
    const staged = await newStagingPath(parts);
    try {
      await writeNewFile(parts.files, staged, edited, modeOf(path));
      await forgetDigest(parts, text);
      // Nothing may take time between this look and the rename: what is written in between is lost.
      if (!readWhole(path).equals(before)) continue;
      await parts.files.rename(staged, path);
    } catch (error) {
      if (errno(error) === "ENOENT") throw gone(tag, path, error);
      throw error;
    } finally {
      await discardStaged(parts, staged);
    }
    await settle(parts, tag, path, { before, edited });
    return true;
  }
  throw new ModelbenchError("store.access", `${path} is being changed by another program all the time.`, {
    path,
    remedy: "Try again when that program is done.",
  });
}

/** Makes the edit last, or takes it back: what is told as failed must not have happened. */
async function settle(
  parts: StoreParts,
  tag: Tag,
  path: string,
  { before, edited }: { readonly before: Buffer; readonly edited: string },
): Promise<void> {
  try {
    await parts.files.sync(join(path, ".."));
  } catch (error) {
    await putBack(parts, path, before).catch(() => undefined);
    await noteDigest(parts, tag, decodeModelYaml(before)).catch(() => undefined);
    throw error;
  }
  // Without it a check knows nothing of this file, which is no reason to call the edit failed.
  await noteDigest(parts, tag, edited).catch(() => undefined);
}

async function putBack(parts: StoreParts, path: string, before: Buffer): Promise<void> {
  const staged = await newStagingPath(parts);
  try {
    await writeNewFile(parts.files, staged, before, modeOf(path));
    await parts.files.rename(staged, path);
  } finally {
    await discardStaged(parts, staged);
  }
}

/** What only its owner may read must not be shown to others by an edit. */
function modeOf(path: string): number {
  return (statOf(path)?.mode ?? 0o600) & 0o777;
}

/** Until the edit is complete the record says nothing of model.yaml: stopped in between, it would be taken for damage. */
async function forgetDigest(parts: StoreParts, before: string): Promise<void> {
  const info = parseModelInfo(before);
  const record = readRecord(parts.layout, info);
  if (!record?.has(MODEL_YAML)) return;
  await recordFiles(parts, info, new Map([...record].filter(([path]) => path !== MODEL_YAML)));
}

/** The record of the version's files follows. */
async function noteDigest(parts: StoreParts, tag: Tag, text: string): Promise<void> {
  await recordYaml(parts, parseModelInfo(text), versionFolder(parts.layout, tag));
}

function readWhole(path: string): Buffer {
  return Buffer.from(new SmallFileReader().read(path));
}

function gone(tag: Tag, path: string, cause: unknown): ModelbenchError {
  const message = `${formatTag(tag)} was deleted while it was being edited.`;
  return new ModelbenchError("model.notFound", message, { path, cause });
}
