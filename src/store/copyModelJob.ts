import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import type { JobKey, JobOptions } from "../base/ports";
import { asRecorded } from "./archive/asRecorded";
import { storeFailure } from "./failure";
import { digestOf } from "./fileDigest";
import { nodeFiles } from "./fileLayer";
import { ensureFolder, writeNewFile } from "./fileOperations";
import { layoutOf, MODEL_YAML } from "./layout";
import type { Tag } from "./model";
import { isLink, leadsInto, readableEntries, statOf } from "./modelFiles";
import { ModelStore } from "./modelStore";
import { retagModelInfo } from "./modelYaml/editModelInfo";
import { decodeModelYaml } from "./modelYaml/modelInfo";
import { newVersion } from "./newVersion";
import { isForeign, provenOrigin, readOrigin } from "./origin";
import { copySources } from "./saving";
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
 * What is not as it was saved is refused: the copy's own digests would call it sound.
 * @throws ModelbenchError `model.notFound`, `model.exists`, `model.broken` for links that leave the version, `model.changed`,
 *   `tag.invalid`, `yaml.invalid`, `file.access`, `store.access`, `store.crossDevice`, `cancelled`
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
  const compare = asRecorded(home, source);
  const staged = await target.stagingFolder();
  try {
    for (const folder of members.folders) await ensureFolder(nodeFiles, join(staged, folder));
    const sources = members.files.map((path) => ({ from: join(source.path, path), to: path }));
    const flushed = await copySources(nodeFiles, staged, sources, options);
    for (const [file, digest] of flushed) compare?.(file, digest);
    const yamlPath = join(source.path, MODEL_YAML);
    const bytes = new SmallFileReader().read(yamlPath);
    compare?.(MODEL_YAML, digestOf(bytes));
    const text = decodeModelYaml(bytes);
    const isSame = formatTag(tag) === formatTag(source.tag);
    const yaml = isSame ? text : retagModelInfo(text, tag, { epochMs: Date.now(), micros: 0 });
    await writeNewFile(nodeFiles, join(staged, MODEL_YAML), yaml);
    const { provenance } = readOrigin(layoutOf(home), source.info);
    const isElsewhere = isForeign(provenOrigin(layoutOf(home), source));
    const origin = {
      kind: "copied",
      from: formatTag(from),
      ...(toHome === undefined ? {} : { detail: home }),
      ...(provenance === undefined ? {} : { provenance }),
      ...(isElsewhere ? { isForeign: true } : {}),
    } as const;
    const { path } = await target.adopt(staged, { signal: options.signal, flushed, origin });
    return { tag: formatTag(tag), path };
  } catch (error) {
    await target.discard(staged);
    throw storeFailure(error, "copy a model to", target.home);
  }
}

interface Members {
  readonly folders: string[];
  readonly files: string[];
}

/** Everything below a version but its model.yaml, empty folders too. What a link inside leads to is copied as it is,
 *  as BentoML does when it saves. @throws ModelbenchError `model.broken` for a link that leads out or nowhere */
function membersOf(root: string): Members {
  const found: Members = { folders: [], files: [] };
  collect(root, "", found);
  return found;
}

function collect(root: string, below: string, found: Members): void {
  for (const entry of readableEntries(join(root, below)).sort()) {
    const path = below === "" ? entry : `${below}/${entry}`;
    const full = join(root, path);
    const stat = statOf(full);
    if (path === MODEL_YAML) continue;
    if (stat?.isFile() && (!isLink(full) || leadsInto(root, full))) found.files.push(path);
    else if (stat?.isDirectory() && !isLink(full)) {
      found.folders.push(path);
      collect(root, path, found);
    } else
      throw new ModelbenchError("model.broken", `${full} is no plain file or folder of the model.`, { path: full });
  }
}
