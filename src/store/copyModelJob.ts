import { constants, realpathSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, sep } from "node:path";
import { ModelbenchError, throwIfAborted } from "../base/errors";
import type { JobKey, JobOptions } from "../base/ports";
import { assertRoom, freeBytes } from "./archive/freeSpace";
import { storeFailure } from "./failure";
import type { FileDigest } from "./fileDigest";
import { nodeFiles } from "./fileLayer";
import { copyNewFile, ensureFolder, writeNewFile } from "./fileOperations";
import { MODEL_YAML } from "./layout";
import type { ModelFile, Tag } from "./model";
import { entriesOf, isLink, statOf } from "./modelFiles";
import { ModelStore } from "./modelStore";
import { retagModelInfo } from "./modelYaml/editModelInfo";
import { decodeModelYaml } from "./modelYaml/modelInfo";
import { newVersion } from "./newVersion";
import { SmallFileReader } from "./smallFileReader";
import { formatTag, makeSavableTag, parseTag } from "./tag";

/** What is copied and where to. */
export interface CopyModelInput {
  readonly home: string;
  readonly from: Tag;
  /** `name` for a generated version, or `name:version`. */
  readonly to: string;
  /** Another store; the same one when left out. */
  readonly toHome?: string | undefined;
}

/** Copies a version to a new tag with its files, labels, metadata and signatures; it was made now. */
export const copyModelJob: JobKey<CopyModelInput, { readonly tag: string; readonly path: string }> = {
  name: "store.copy",
};

/**
 * The work behind `copyModelJob`. Only name, version and creation time of the model.yaml change: a copy under another
 * tag is a new version, so it comes first in lists and becomes the latest of its name as every new version does. Under
 * its own tag, in another store, it is the same version and stays so to the byte, as after an export and an import.
 * @throws ModelbenchError `model.notFound`, `model.exists`, `model.broken` for links that leave the version,
 *   `tag.invalid`, `yaml.invalid`, `store.access`, `store.crossDevice`, `cancelled`
 */
export async function runCopyModel(
  { home, from, to, toHome }: CopyModelInput,
  options: JobOptions,
): Promise<{ readonly tag: string; readonly path: string }> {
  const source = new ModelStore(home).open(from);
  const target = new ModelStore(toHome ?? home);
  const { name, version } = parseTag(to);
  const tag = makeSavableTag(name, version ?? newVersion());
  if (statOf(target.pathOf(tag)) !== undefined) {
    throw new ModelbenchError("model.exists", `${formatTag(tag)} already exists in the store ${target.home}.`, {
      path: target.pathOf(tag),
      remedy: "Choose another name or version.",
    });
  }
  const members = membersOf(source.path);
  const staged = await target.stagingFolder();
  try {
    assertRoom(
      members.files.reduce((sum, { bytes }) => sum + bytes, 0),
      freeBytes(staged),
      staged,
    );
    for (const folder of members.folders) await ensureFolder(nodeFiles, join(staged, folder));
    const flushed = await copyFiles(source.path, staged, members.files, options);
    const text = readYaml(source.path);
    const isSame = formatTag(tag) === formatTag(source.tag);
    const yaml = isSame ? text : retagModelInfo(text, tag, { epochMs: Date.now(), micros: 0 });
    await writeNewFile(nodeFiles, join(staged, MODEL_YAML), yaml);
    const origin = {
      kind: "copied",
      from: formatTag(from),
      ...(toHome === undefined ? {} : { detail: home }),
    } as const;
    const { path } = await target.adopt(staged, { signal: options.signal, flushed, origin });
    return { tag: formatTag(tag), path };
  } catch (error) {
    await target.discard(staged);
    throw storeFailure(error, "copy a model to", target.home);
  }
}

function readYaml(folder: string): string {
  return decodeModelYaml(new SmallFileReader().read(join(folder, MODEL_YAML)));
}

interface Members {
  readonly folders: string[];
  readonly files: ModelFile[];
}

/** Everything below a version but its model.yaml, empty folders too. What a link inside leads to is copied as it is,
 *  as BentoML does when it saves. @throws ModelbenchError `model.broken` for a link that leads out or nowhere */
function membersOf(root: string): Members {
  const found: Members = { folders: [], files: [] };
  collect(root, "", found);
  return found;
}

function collect(root: string, below: string, found: Members): void {
  for (const entry of entriesOf(join(root, below)).sort()) {
    const path = below === "" ? entry : `${below}/${entry}`;
    const full = join(root, path);
    const stat = statOf(full);
    if (path === MODEL_YAML) continue;
    if (stat?.isFile() && (!isLink(full) || leadsInside(root, full))) found.files.push({ path, bytes: stat.size });
    else if (stat?.isDirectory() && !isLink(full)) {
      found.folders.push(path);
      collect(root, path, found);
    } else
      throw new ModelbenchError("model.broken", `${full} is no plain file or folder of the model.`, { path: full });
  }
}

function leadsInside(root: string, path: string): boolean {
  return realpathSync(path).startsWith(realpathSync(root) + sep);
}

async function copyFiles(
  from: string,
  staged: string,
  files: readonly ModelFile[],
  { signal, onProgress }: JobOptions,
): Promise<Map<string, FileDigest>> {
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const digests = new Map<string, FileDigest>();
  let doneBytes = 0;
  for (const { path } of files) {
    throwIfAborted(signal);
    const onBytes = (count: number): void => {
      doneBytes += count;
      onProgress?.({ doneBytes, totalBytes, current: path });
    };
    const source = await open(join(from, path), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      digests.set(path, await copyNewFile(nodeFiles, source, join(staged, path), { signal, onBytes }));
    } finally {
      await source.close();
    }
  }
  return digests;
}
