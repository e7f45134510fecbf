import { readdirSync, type Stats } from "node:fs";
import { ModelbenchError, toWireError, type Warning } from "../base/errors";
import type { Slice } from "../base/slice";
import { type Essentials, readEssentials, readEssentialsSoon } from "./essentials";
import { errno, storeFailure } from "./failure";
import { LATEST, MODEL_YAML } from "./layout";
import type { ListingCache } from "./listingCache";
import type { Contents, KnownVersion } from "./listingFile";
import type { BrokenItem, Listing, ModelSummary, Tag } from "./model";
import { entriesOf, isLink, leadsInto, lstatOf, statOf } from "./modelFiles";
import { namesIn } from "./nameFolders";
import { SmallFileReader } from "./smallFileReader";
import { formatTag, isTagPart } from "./tag";

/** A folder without model.yaml that changed this recently is taken for one that a writer is still filling. */
const BEING_WRITTEN_MS = 3000;

/** What of the store is listed; everything when left out. */
export interface ListScope {
  readonly name: string;
  readonly version?: string | undefined;
}

/** What a pass over the store needs to know. */
export interface ListRequest {
  /** The `models/` folder. */
  readonly models: string;
  readonly scope?: ListScope | undefined;
  /** When it is over the generator yields. */
  readonly slice: Slice;
  readonly now: () => number;
  /**
   * Called with the name of every version whose model.yaml takes too long to parse on the extension host's thread;
   * that version is not listed. Without it everything is.
   */
  readonly onTooBig?: ((name: string) => void) | undefined;
  /** What need not be read again; what is read is added to it. */
  readonly cache?: ListingCache | undefined;
}

/**
 * Reads the store in slices: yields whenever one is over. Names and versions come in the order of
 * BentoML. Nothing that is wrong with one item fails the others; a missing folder lists as empty.
 * @throws ModelbenchError `store.access` when `models/` itself cannot be read
 */
export function listModels(request: ListRequest): Generator<void, Listing> {
  return new ListPass(request).run();
}

class ListPass {
  readonly #request: ListRequest;
  readonly #models: ModelSummary[] = [];
  readonly #broken: BrokenItem[] = [];

  constructor(request: ListRequest) {
    this.#request = request;
  }

  *run(): Generator<void, Listing> {
    const { models, scope } = this.#request;
    for (const name of scope ? [scope.name] : namesIn(models).sort()) {
      yield* this.#listName(name, scope?.version);
    }
    return { models: this.#models, broken: this.#broken };
  }

  *#listName(name: string, wanted: string | undefined): Generator<void, void> {
    const folder = `${this.#request.models}/${name}`;
    let entries: string[];
    try {
      entries = readdirSync(folder).sort();
    } catch (error) {
      // Plain files and dangling links are no models to BentoML either.
      if (isUndecodable(name)) this.#report(name, undefined, folder, badFolderName(name, folder));
      else if (!isNoFolder(error)) this.#report(name, undefined, folder, storeFailure(error, "list", folder));
      return;
    }
    if (!isTagPart(name)) {
      this.#report(name, undefined, folder, badFolderName(name, folder));
      return;
    }
    const latest = entries.includes(LATEST) ? this.#latest(folder) : undefined;
    const before = { models: this.#models.length, broken: this.#broken.length };
    for (const version of entries) {
      if (wanted !== undefined && version !== wanted) continue;
      if (version === LATEST && latest !== undefined) continue;
      yield* this.#listVersion(name, version, folder, latest === version);
      yield* this.#request.slice.rest();
    }
    if (wanted === undefined) this.#gatherLinked(name, folder, before);
  }

  /** What lies behind a link in place of a name's folder is one finding: nobody made those folders for this store. */
  #gatherLinked(name: string, folder: string, before: { readonly models: number; readonly broken: number }): void {
    const models = this.#models.slice(before.models);
    const isAllBroken = models.length === 0 && this.#broken.length > before.broken + 1;
    const isAllElsewhere = models.length > 1 && models.every(({ warnings }) => warnings.length > 0);
    if (!(isAllBroken || isAllElsewhere) || !isLink(folder)) return;
    if (isAllBroken) {
      this.#broken.length = before.broken;
      this.#report(name, undefined, folder, linkWithoutModels(folder));
    } else if (leadsInto(this.#request.models, folder)) {
      const warnings = [{ code: "link.stray", message: `${folder} is a link back into the store.`, path: folder }];
      const gathered = models.map((model, i) => ({ ...model, warnings: i === 0 ? warnings : NO_WARNINGS }));
      this.#models.splice(before.models, gathered.length, ...gathered);
    }
  }

  /** `undefined` when it cannot be read, for instance because it is the folder of a version of that name. */
  #latest(folder: string): string | undefined {
    try {
      return reader.read(`${folder}/${LATEST}`).toString("latin1").trim();
    } catch {
      return undefined;
    }
  }

  *#listVersion(name: string, version: string, folder: string, isLatest: boolean): Generator<void, void> {
    const path = `${folder}/${version}`;
    const known = this.#request.cache?.recall(name, version, path);
    if (known !== undefined && (yield* this.#listKnown({ name, version }, path, known, isLatest))) return;
    let yaml: Buffer;
    try {
      yaml = reader.read(`${path}/${MODEL_YAML}`);
    } catch (error) {
      this.#reportUnreadable(name, version, path, error);
      return;
    }
    try {
      if (!isTagPart(version)) throw badFolderName(version, path);
      const { onTooBig } = this.#request;
      const read = onTooBig ? readEssentialsSoon : readEssentials;
      const essentials = read(yaml, `${path}/${MODEL_YAML}`);
      if (essentials === undefined) return onTooBig?.(name);
      const yamlBytes = yaml.length;
      const contents: Seen = yield* this.#besideYaml(path);
      // Taken away while it was looked at: sizes of what was left would be of nothing that ever was.
      if (contents.vanished && lstatOf(`${path}/${MODEL_YAML}`) === undefined) return;
      const warnings = tagWarnings(name, version, path, essentials);
      this.#models.push({
        tag: { name: essentials.name, version: essentials.version },
        path,
        module: essentials.module,
        creationMs: essentials.creationMs,
        creationMicros: essentials.creationMicros,
        sizeBytes: yamlBytes + contents.bytes,
        isLatest,
        warnings,
      });
      if (warnings.length === 0) this.#request.cache?.learn(name, version, path, essentials, contents);
    } catch (error) {
      this.#report(name, version, path, error, yaml.length === 0 && this.#isYoung(path));
    }
  }

  #reportUnreadable(name: string, version: string, path: string, error: unknown): void {
    const stat = folderStat(path);
    if (isUndecodable(version)) this.#report(name, version, path, badFolderName(version, path));
    if (stat === undefined) return;
    if (errno(error) === "ENOENT") {
      const failure = new ModelbenchError("model.broken", `${path} has no ${MODEL_YAML}.`, {
        path,
        remedy: "Delete it, or save the model again.",
      });
      this.#report(name, version, path, failure, this.#request.now() - stat.mtimeMs < BEING_WRITTEN_MS);
    } else {
      this.#report(name, version, path, storeFailure(error, "read", `${path}/${MODEL_YAML}`));
    }
  }

  #report(name: string, version: string | undefined, path: string, error: unknown, beingWritten = false): void {
    this.#broken.push({ name, version, path, beingWritten, error: toWireError(error) });
  }

  #isYoung(path: string): boolean {
    const stat = folderStat(path);
    return stat !== undefined && this.#request.now() - stat.mtimeMs < BEING_WRITTEN_MS;
  }

  /** Lists a version whose model.yaml need not be read; answers false when something in it is another now. */
  *#listKnown(tag: Tag, path: string, known: KnownVersion, isLatest: boolean): Generator<void, boolean> {
    if (!isTagPart(tag.version)) return false;
    const { slice, cache } = this.#request;
    for (const [i, inner] of known.contents.folders.entries()) {
      const stat = statOf(`${path}/${inner}`);
      if (stat === undefined || !known.isFolder(stat, i)) return false;
      if (slice.isOver) yield* slice.rest();
    }
    let sizeBytes = known.yamlBytes;
    for (const file of known.contents.files) {
      const stat = statOf(`${path}/${file}`);
      if (stat === undefined) return false;
      if (stat.isFile()) sizeBytes += stat.size;
      if (slice.isOver) yield* slice.rest();
    }
    const { module, creationMs, creationMicros } = known;
    this.#models.push({ tag, path, module, creationMs, creationMicros, sizeBytes, isLatest, warnings: NO_WARNINGS });
    cache?.keep(tag.name, tag.version, known);
    return true;
  }

  /**
   * What there is but the model.yaml already read, with the bytes of all files. As BentoML counts: a link to a file
   * has the size of the file, a link to a folder is not entered. @see bentoml 1.4.39
   * _internal/utils/filesystem.py calc_dir_size
   */
  *#besideYaml(path: string): Generator<void, Seen> {
    const { slice } = this.#request;
    const found = { files: [] as string[], folders: [] as string[], bytes: 0, vanished: false };
    let sawYaml = false;
    const pending = [""];
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      for (const entry of entriesOf(`${path}/${folder}`)) {
        if (entry === MODEL_YAML && folder === "") {
          sawYaml = true;
          continue;
        }
        const child = folder + entry;
        const stat = statOf(`${path}/${child}`);
        found.vanished ||= stat === undefined;
        const isFolder = stat?.isDirectory() === true && !isLink(`${path}/${child}`);
        if (isFolder) pending.push(`${child}/`);
        else if (stat?.isFile()) found.bytes += stat.size;
        found[isFolder ? "folders" : "files"].push(child);
        if (slice.isOver) yield* slice.rest();
      }
    }
    found.vanished ||= !sawYaml;
    return found;
  }
}

/** What is in a version beside its model.yaml. */
interface Seen extends Contents {
  bytes: number;
  /** Whether something that should have been there was not found: the version itself may be gone. */
  vanished: boolean;
}

/** One for all: its buffer is large, and a listing is made name by name. */
const reader = new SmallFileReader();

const NO_WARNINGS: readonly Warning[] = [];

function tagWarnings(name: string, version: string, path: string, inside: Essentials): readonly Warning[] {
  if (inside.name === name && inside.version === version) return NO_WARNINGS;
  return [tagMismatch({ name, version }, inside, path)];
}

/** Says that a model's own file names another tag than its folder. */
export function tagMismatch(folder: Tag, inside: Tag, path: string): Warning {
  const message = `The folder ${formatTag(folder)} holds a ${MODEL_YAML} that names ${formatTag(inside)}.`;
  return { code: "tag.mismatch", message, path };
}

function badFolderName(name: string, path: string): ModelbenchError {
  return new ModelbenchError("tag.invalid", `The folder name ${JSON.stringify(name)} is not a valid tag.`, {
    path,
    remedy: "BentoML cannot list the store while this folder is in it: rename it or move it away.",
  });
}

function linkWithoutModels(folder: string): ModelbenchError {
  return new ModelbenchError("model.broken", `${folder} is a link to a folder without models.`, {
    path: folder,
    remedy: "BentoML cannot list the store while this link is in it: remove it, or repair the store.",
  });
}

/** A name that is no UTF-8 cannot be opened by the text that stands for it; to BentoML it is a bad one like others. */
function isUndecodable(name: string): boolean {
  return name.includes("\ufffd");
}

function isNoFolder(error: unknown): boolean {
  return errno(error) === "ENOTDIR" || errno(error) === "ENOENT" || errno(error) === "ELOOP";
}

/** The folder, links followed; `undefined` when it is something else. */
function folderStat(path: string): Stats | undefined {
  const stat = statOf(path);
  return stat?.isDirectory() ? stat : undefined;
}
