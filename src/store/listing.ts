import { readdirSync, type Stats } from "node:fs";
import { ModelbenchError, toWireError, type Warning } from "../base/errors";
import { type Essentials, readEssentials, readEssentialsSoon } from "./essentials";
import { errno, storeFailure } from "./failure";
import { LATEST, MODEL_YAML } from "./layout";
import type { BrokenItem, Listing, ModelSummary, Tag } from "./model";
import { entriesOf, isLink, statOf } from "./modelFiles";
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
  /** Milliseconds after which the generator yields. */
  readonly sliceMs: number;
  readonly now: () => number;
  /**
   * Called with the name of every version whose model.yaml takes too long to parse on the extension host's thread;
   * that version is not listed. Without it everything is.
   */
  readonly onTooBig?: ((name: string) => void) | undefined;
}

/**
 * Reads the store in slices: yields whenever a slice has taken `sliceMs`. Names and versions come in the order of
 * BentoML. Nothing that is wrong with one item fails the others; a missing folder lists as empty.
 * @throws ModelbenchError `store.access` when `models/` itself cannot be read
 */
export function listModels(request: ListRequest): Generator<void, Listing> {
  return new ListPass(request).run();
}

class ListPass {
  readonly #request: ListRequest;
  readonly #reader = new SmallFileReader();
  readonly #models: ModelSummary[] = [];
  readonly #broken: BrokenItem[] = [];
  #sliceEnd: number;

  constructor(request: ListRequest) {
    this.#request = request;
    this.#sliceEnd = performance.now() + request.sliceMs;
  }

  *run(): Generator<void, Listing> {
    const { scope } = this.#request;
    for (const name of scope ? [scope.name] : this.#names()) {
      yield* this.#listName(name, scope?.version);
    }
    return { models: this.#models, broken: this.#broken };
  }

  #names(): string[] {
    try {
      return readdirSync(this.#request.models).sort();
    } catch (error) {
      if (errno(error) === "ENOENT") return [];
      throw storeFailure(error, "list", this.#request.models);
    }
  }

  *#listName(name: string, wanted: string | undefined): Generator<void, void> {
    const folder = `${this.#request.models}/${name}`;
    let entries: string[];
    try {
      entries = readdirSync(folder).sort();
    } catch (error) {
      // Plain files and dangling links are no models to BentoML either.
      if (isNoFolder(error)) return;
      this.#report(name, undefined, folder, storeFailure(error, "list", folder));
      return;
    }
    if (!isTagPart(name)) {
      this.#report(name, undefined, folder, badFolderName(name, folder));
      return;
    }
    const latest = entries.includes(LATEST) ? this.#latest(folder) : undefined;
    for (const version of entries) {
      if (wanted !== undefined && version !== wanted) continue;
      if (version === LATEST && latest !== undefined) continue;
      yield* this.#listVersion(name, version, folder, latest === version);
      if (this.#isLate()) yield* this.#pause();
    }
  }

  /** `undefined` when it cannot be read, for instance because it is the folder of a version of that name. */
  #latest(folder: string): string | undefined {
    try {
      return this.#reader.read(`${folder}/${LATEST}`).toString("latin1").trim();
    } catch {
      return undefined;
    }
  }

  *#listVersion(name: string, version: string, folder: string, isLatest: boolean): Generator<void, void> {
    const path = `${folder}/${version}`;
    let yaml: Buffer;
    try {
      yaml = this.#reader.read(`${path}/${MODEL_YAML}`);
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
      this.#models.push({
        tag: { name: essentials.name, version: essentials.version },
        path,
        module: essentials.module,
        creationMs: essentials.creationMs,
        creationMicros: essentials.creationMicros,
        sizeBytes: yamlBytes + (yield* this.#sizeBesideYaml(path)),
        isLatest,
        warnings: tagWarnings(name, version, path, essentials),
      });
    } catch (error) {
      this.#report(name, version, path, error, yaml.length === 0 && this.#isYoung(path));
    }
  }

  #reportUnreadable(name: string, version: string, path: string, error: unknown): void {
    const stat = folderStat(path);
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

  /**
   * Bytes of all files but the model.yaml already read. As BentoML counts: a link to a file has the size of the
   * file, a link to a folder is not entered. @see bentoml 1.4.39 _internal/utils/filesystem.py calc_dir_size
   */
  *#sizeBesideYaml(path: string): Generator<void, number> {
    let bytes = 0;
    const pending = [path];
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      for (const entry of entriesOf(folder)) {
        if (entry === MODEL_YAML && folder === path) continue;
        const child = `${folder}/${entry}`;
        const stat = statOf(child);
        if (stat?.isFile()) bytes += stat.size;
        else if (stat?.isDirectory() && !isLink(child)) pending.push(child);
        if (this.#isLate()) yield* this.#pause();
      }
    }
    return bytes;
  }

  /** Without an end to a slice the clock need not be asked for every file. */
  #isLate(): boolean {
    return this.#sliceEnd !== Number.POSITIVE_INFINITY && performance.now() > this.#sliceEnd;
  }

  *#pause(): Generator<void, void> {
    yield;
    this.#sliceEnd = performance.now() + this.#request.sliceMs;
  }
}

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

function isNoFolder(error: unknown): boolean {
  return errno(error) === "ENOTDIR" || errno(error) === "ENOENT" || errno(error) === "ELOOP";
}

/** The folder, links followed; `undefined` when it is something else. */
function folderStat(path: string): Stats | undefined {
  const stat = statOf(path);
  return stat?.isDirectory() ? stat : undefined;
}
