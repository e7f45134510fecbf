import type { JobOptions } from "../base/ports";
import type { Slice } from "../base/slice";
import { type CheckReport, checkStore, drain } from "./check";
import { editModel } from "./editing";
import { type FileLayer, nodeFiles } from "./fileLayer";
import { layoutOf, nameFolder, versionFolder } from "./layout";
import { type ListRequest, listModels } from "./listing";
import type { ListingCache } from "./listingCache";
import { listStore } from "./listStore";
import { findVersion, latestVersion, readModel } from "./lookup";
import type { Listing, ModelDraft, ModelFile, SourceFile, StoredModel, Tag, TrashEntry } from "./model";
import { modelFilesIn, statOf } from "./modelFiles";
import type { ModelEdit } from "./modelYaml/editModelInfo";
import { nameFolders } from "./nameFolders";
import { pinnedTags, setPinned } from "./pins";
import { type RepairReport, repairProblems } from "./repair";
import { openListingCacheSoon } from "./savedListing";
import { type AdoptOptions, adoptModel, saveModel, saveStaged } from "./saving";
import { discardStaged, newStagingFolder, type StoreParts } from "./staging";
import { sweepStaging } from "./sweep";
import { emptyTrash, moveFromTrash, moveToTrash, purgeTrash } from "./trash";
import { keepFor } from "./trashKept";
import { trashEntries } from "./trashRecord";

/** How a store is opened other than on the real disk at the real time. */
export interface ModelStoreOptions {
  readonly files?: FileLayer;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** How a listing in slices goes. */
export type SliceOptions = Pick<ListRequest, "slice" | "onTooBig" | "cache">;

/**
 * A model store on disk, laid out as BentoML's and safe to use beside it and beside other processes of ours.
 * Reading is synchronous and never writes; nothing is kept in memory, so that every answer is the disk's.
 */
export class ModelStore {
  /** Absolute path. */
  readonly home: string;
  readonly #parts: StoreParts;

  /** @param home absolute path; it need not exist, and reading does not make it */
  constructor(home: string, { files = nodeFiles, now = Date.now }: ModelStoreOptions = {}) {
    this.home = home;
    this.#parts = { layout: layoutOf(home), files, now };
  }

  /**
   * Every version, or those of `name` or `name:version` (exactly). A broken item is reported, never fatal.
   * @throws ModelbenchError `model.notFound` for a name that is not there, `tag.invalid`, `store.access`
   */
  list(name?: string): Listing {
    return listStore(this.#parts.layout, name, { now: this.#parts.now });
  }

  /** What an earlier listing read, for `versionSlices`; `undefined` = nothing, and nothing would be saved. */
  listingCache(): ListingCache | undefined {
    return openListingCacheSoon(this.#parts.layout, this.#parts.now);
  }

  /** When the folder of each name changed last, in ms since the epoch, in slices. @throws ModelbenchError `store.access` */
  nameSlices(slice: Slice): Generator<void, Map<string, number>> {
    return nameFolders(this.#parts.layout.models, slice);
  }

  /** When the folder of this name changed last; `undefined` when there is none. */
  folderMs(name: string): number | undefined {
    const stat = statOf(nameFolder(this.#parts.layout, name));
    return stat?.isDirectory() ? stat.mtimeMs : undefined;
  }

  /**
   * What is in the folder of this name, whatever that name is, in slices that are short enough for the extension
   * host's thread. Nothing where there is no such folder.
   */
  versionSlices(name: string, options: SliceOptions): Generator<void, Listing> {
    return listModels({ models: this.#parts.layout.models, scope: { name }, now: this.#parts.now, ...options });
  }

  /** The version that `name`, `name:latest`, `name:version` or the only fitting beginning of a version means.
   *  @throws ModelbenchError `tag.invalid`, `tag.ambiguous`, `model.notFound`, `model.broken`, `yaml.invalid` */
  get(tagText: string): StoredModel {
    return this.open(findVersion(this.#parts.layout, tagText));
  }

  /** Exactly this version folder, its model.yaml read whole; a warning `tag.mismatch` when that names another tag.
   *  @throws ModelbenchError `model.notFound`, `model.broken`, `yaml.invalid`, `store.access` */
  open(tag: Tag): StoredModel {
    return readModel(this.#parts.layout, tag);
  }

  /** All files of a version, model.yaml included, sorted by path. @throws ModelbenchError `store.access` */
  files(tag: Tag): ModelFile[] {
    return modelFilesIn(this.pathOf(tag));
  }

  /** Where this version is or would be. */
  pathOf(tag: Tag): string {
    return versionFolder(this.#parts.layout, tag);
  }

  /** The version that the name's `latest` file names; `undefined` when it names none that is there. */
  latestOf(name: string): string | undefined {
    return latestVersion(this.#parts.layout, name);
  }

  /**
   * Copies files into a new version; it appears whole or not at all.
   * @throws ModelbenchError `tag.invalid`, `model.exists`, `usage`, `file.access`, `store.access`,
   *   `store.crossDevice`, `cancelled`
   */
  save(draft: ModelDraft, files: readonly SourceFile[], options: JobOptions = {}): Promise<StoredModel> {
    return saveModel(this.#parts, draft, files, options);
  }

  /** A new empty folder on the store's own file system to build a model in, for `adopt` or `discard`.
   *  @throws ModelbenchError `store.access` */
  stagingFolder(): Promise<string> {
    return newStagingFolder(this.#parts);
  }

  /**
   * Moves a complete staged folder into the store under the tag in its model.yaml. On failure it stays staged.
   * @throws ModelbenchError `model.exists`, `model.broken`, `yaml.invalid`, `tag.invalid`, `store.access`,
   *   `store.crossDevice`, `cancelled`
   */
  adopt(stagedFolder: string, options: AdoptOptions = {}): Promise<StoredModel> {
    return adoptModel(this.#parts, stagedFolder, options);
  }

  /**
   * Makes a staged folder that holds a model's files a new version of the store. On failure it stays staged.
   * @throws ModelbenchError as `save`
   */
  saveStaged(draft: ModelDraft, stagedFolder: string, options: AdoptOptions = {}): Promise<StoredModel> {
    return saveStaged(this.#parts, draft, stagedFolder, options);
  }

  /** Removes a staged folder that is not wanted any more; never fails. */
  discard(stagedFolder: string): Promise<void> {
    return discardStaged(this.#parts, stagedFolder);
  }

  /** Changes labels, metadata and signatures in a version's model.yaml, whose other lines stay as they are; answers
   *  whether anything changed. @throws ModelbenchError `model.notFound`, `model.broken`, `yaml.invalid`, `usage`,
   *   `store.access` */
  edit(tag: Tag, edit: ModelEdit): Promise<boolean> {
    return editModel(this.#parts, tag, edit);
  }

  /** Keeps a version from being cleaned up, or no longer does. @throws ModelbenchError `store.access` */
  pin(tag: Tag, pinned: boolean): Promise<void> {
    return setPinned(this.#parts, tag, pinned);
  }

  /** The pinned versions as `name:version`, also of versions that are gone. */
  pinned(): Set<string> {
    return pinnedTags(this.#parts.layout);
  }

  /** Moves exactly this version folder, broken or not, into the trash; `latest` moves to the newest other version.
   *  @throws ModelbenchError `model.notFound`, `store.access`, `store.crossDevice` */
  delete(tag: Tag): Promise<TrashEntry> {
    return moveToTrash(this.#parts, tag);
  }

  /** Puts a deleted version back where it was. Takes an entry's id, or a tag: then the one deleted last.
   *  @throws ModelbenchError `trash.notFound`, `model.exists`, `store.access`, `store.crossDevice` */
  restore(idOrTag: string): Promise<Tag> {
    return moveFromTrash(this.#parts, idOrTag);
  }

  /** What can be restored, the one deleted last first. */
  trash(): TrashEntry[] {
    return trashEntries(this.#parts);
  }

  /** Removes for good what was deleted longer ago than this store keeps it (7 days), and answers with it.
   *  @throws ModelbenchError `store.access` */
  purgeTrash(): Promise<TrashEntry[]> {
    return purgeTrash(this.#parts);
  }

  /** Changes how long this store keeps what is deleted, for everybody. @throws ModelbenchError `store.access` */
  keepTrashFor(keptMs: number): Promise<void> {
    return keepFor(this.#parts, keptMs);
  }

  /** Removes these entries of the trash for good, all of them without `ids`, and answers with them.
   *  @throws ModelbenchError `store.access` */
  emptyTrash(ids?: readonly string[]): Promise<TrashEntry[]> {
    return emptyTrash(this.#parts, ids);
  }

  /** Looks for damage, in all versions or in those that `tags` name, and changes nothing. Reads every byte. */
  check(tags?: readonly string[]): CheckReport {
    return drain(checkStore({ ...this.#parts, tags }));
  }

  /** Checks, and mends what can be mended; of what fails on the way the report tells, too.
   *  @throws ModelbenchError `tag.invalid`, `store.access` when `models/` cannot be read */
  repair(tags?: readonly string[]): Promise<RepairReport> {
    return repairProblems(this.#parts, this.check(tags));
  }

  /** Clears away what processes that are gone left unfinished. @throws ModelbenchError `store.access` */
  sweepStaging(): Promise<void> {
    return sweepStaging(this.#parts);
  }
}
