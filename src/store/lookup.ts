import { readdirSync } from "node:fs";
import { ModelbenchError } from "../base/errors";
import { byCreation, type Essentials, readEssentials } from "./essentials";
import { errno, storeFailure } from "./failure";
import { LATEST, type Layout, latestFile, MODEL_YAML, nameFolder, versionFolder } from "./layout";
import { tagMismatch } from "./listing";
import type { StoredModel, Tag } from "./model";
import { entriesOf, statOf } from "./modelFiles";
import { parseModelInfo } from "./modelYaml/modelInfo";
import { SmallFileReader } from "./smallFileReader";
import { isTagPart, parseTag } from "./tag";

/**
 * Finds the folder that a tag means: `name` and `name:latest` by the `latest` file, or the newest version where
 * that file is missing or names nothing; `name:version` exactly, else as the only version that begins so.
 * Looking never writes.
 * @throws ModelbenchError `tag.invalid`, `tag.ambiguous`, `model.notFound`, `model.broken`
 * @see bentoml 1.4.39 _internal/store.py Store.get
 */
export function findVersion(layout: Layout, tagText: string): Tag {
  const { name, version } = parseTag(tagText);
  if (version === undefined || version === LATEST) return { name, version: resolveLatest(layout, name) };
  if (statOf(versionFolder(layout, { name, version })) !== undefined) return { name, version };
  const matches = versionsOf(layout, name).filter((candidate) => candidate.startsWith(version));
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return { name, version: only };
  if (matches.length > 1) {
    throw new ModelbenchError("tag.ambiguous", `Multiple ${name} versions found: ${matches.join(", ")}.`, {
      remedy: "Write more of the version.",
    });
  }
  assertReadable(layout, name);
  throw new ModelbenchError("model.notFound", `Model '${tagText}' is not found in the store ${layout.models}.`, {
    remedy: `List the store to see what it holds.`,
  });
}

/** Reads a version's model.yaml whole.
 *  @throws ModelbenchError `model.notFound`, `model.broken`, `yaml.invalid`, `store.access` */
export function readModel(layout: Layout, folder: Tag): StoredModel {
  const model = readModelFolder(versionFolder(layout, folder));
  if (model.tag.name === folder.name && model.tag.version === folder.version) return model;
  return { ...model, warnings: [tagMismatch(folder, model.tag, model.path)] };
}

/** Reads a folder laid out as a version, in a store or not; its model.yaml alone says what the tag is.
 *  @throws ModelbenchError `model.notFound`, `model.broken`, `yaml.invalid`, `store.access` */
export function readModelFolder(path: string): StoredModel {
  const yamlPath = `${path}/${MODEL_YAML}`;
  let yaml: Buffer;
  try {
    yaml = new SmallFileReader().read(yamlPath);
  } catch (error) {
    throw unreadable(error, path, yamlPath);
  }
  const info = parseModelInfo(yaml, yamlPath);
  return { tag: info.tag, path, info, warnings: [] };
}

/** The folders of a name's versions, sorted. */
export function versionsOf(layout: Layout, name: string): string[] {
  const folder = nameFolder(layout, name);
  return entriesOf(folder)
    .filter((entry) => isTagPart(entry) && statOf(`${folder}/${entry}`)?.isDirectory())
    .sort();
}

/** The text of a name's `latest` file as it stands there; `undefined` when there is no such file. */
export function latestText(layout: Layout, name: string): string | undefined {
  try {
    return new SmallFileReader().read(latestFile(layout, name)).toString("latin1");
  } catch {
    return undefined;
  }
}

/** The version that a name's `latest` file names; `undefined` when it names no version that is there. */
export function latestVersion(layout: Layout, name: string): string | undefined {
  const version = latestText(layout, name)?.trim();
  if (version === undefined || !isTagPart(version)) return undefined;
  return statOf(versionFolder(layout, { name, version }))?.isDirectory() ? version : undefined;
}

/** What a version's model.yaml says in short; `undefined` when it cannot be read. */
export function essentialsOf(layout: Layout, tag: Tag): Essentials | undefined {
  const path = `${versionFolder(layout, tag)}/${MODEL_YAML}`;
  try {
    return readEssentials(new SmallFileReader().read(path), path);
  } catch {
    return undefined;
  }
}

/** The version among these that was made last, and of several made at once the last by name; broken ones never. */
export function newestOf(layout: Layout, name: string, versions: readonly string[]): string | undefined {
  let newest: { version: string; essentials: Essentials } | undefined;
  for (const version of versions) {
    const essentials = essentialsOf(layout, { name, version });
    if (essentials === undefined) continue;
    if (newest === undefined || byCreation(essentials, newest.essentials) >= 0) newest = { version, essentials };
  }
  return newest?.version;
}

function resolveLatest(layout: Layout, name: string): string {
  const named = latestVersion(layout, name);
  if (named !== undefined) return named;
  const versions = versionsOf(layout, name);
  // Of versions made in the same microsecond BentoML takes the first by name here, and the last when it deletes.
  const newest = newestOf(layout, name, versions.reverse());
  if (newest !== undefined) return newest;
  if (versions.length === 0) {
    assertReadable(layout, name);
    throw new ModelbenchError("model.notFound", `No models with name '${name}' exist in the store ${layout.models}.`, {
      remedy: "List the store to see what it holds.",
    });
  }
  const path = nameFolder(layout, name);
  throw new ModelbenchError("model.broken", `No version of '${name}' in ${path} can be read.`, { path });
}

const NOT_A_MODEL =
  "A version that was only half written can be deleted and saved again; of another folder name the file that you mean.";

/** A folder that may not be looked into is another matter than one that is not there. @throws ModelbenchError `store.access` */
function assertReadable(layout: Layout, name: string): void {
  const folder = nameFolder(layout, name);
  try {
    readdirSync(folder);
  } catch (error) {
    if (errno(error) !== "ENOENT" && errno(error) !== "ENOTDIR") throw storeFailure(error, "read", folder);
  }
}

function unreadable(error: unknown, path: string, yamlPath: string): ModelbenchError {
  if (errno(error) !== "ENOENT" && errno(error) !== "ENOTDIR") return storeFailure(error, "read", yamlPath);
  if (statOf(path) === undefined) {
    return new ModelbenchError("model.notFound", `There is no model at ${path}.`, { path });
  }
  const message = `${path} is no model: it does not contain a '${MODEL_YAML}'.`;
  return new ModelbenchError("model.broken", message, { path, remedy: NOT_A_MODEL });
}
