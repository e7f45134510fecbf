import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ModelbenchError, toWireError, type WireError } from "../base/errors";
import { Emitter } from "../base/events";
import type { Jobs } from "../base/ports";
import type { Disposable } from "../base/scope";
import { layoutOf, nameFolder, tagOfFolder } from "../store/layout";
import { listNameJob } from "../store/listNameJob";
import type { BrokenItem, Listing, ModelSummary } from "../store/model";
import type { ModelStore } from "../store/modelStore";
import { isTagPart } from "../store/tag";
import { runSlices } from "./slices";

/** What one name holds. */
export interface NameEntry {
  readonly models: readonly ModelSummary[];
  readonly broken: readonly BrokenItem[];
  /** Set while only the folder is known: `models` and `broken` are empty and follow. */
  readonly pending?: true;
  /** While pending: when the folder changed last, in ms since the epoch; stands for the newest version's creation. */
  readonly folderMs?: number;
}

/** What is known of a store now. */
export interface StoreSnapshot {
  readonly home: string;
  /** `named`: every name is known, and some entries are still pending; `ready`: none is. */
  readonly phase: "loading" | "named" | "ready" | "failed";
  /** Why the store cannot be read; only when `failed`. */
  readonly error: WireError | undefined;
  readonly names: ReadonlyMap<string, NameEntry>;
}

/** The part of a store that is listed and watched. */
export type ListedStore = Pick<ModelStore, "home" | "listSlices">;

/** Watches the folder of the models and the names it is told to, and nothing else. */
export interface StoreWatch extends Disposable {
  watchName(name: string): void;
  unwatchName(name: string): void;
}

/** Starts a watch; `name` is `undefined` when the folder of the models itself changed. */
export type StartWatch = (home: string, listener: { onChange(name?: string): void }) => StoreWatch;

/** Changes arrive in bursts (a folder, its files, `latest`): what comes within this time is read once. */
const GATHER_MS = 60;
/** How often a name is looked at again while something in it is still being written. */
const SETTLE_MS = 300;
/** Longest time the host is kept busy without a break. */
const SLICE_MS = 8;
/** A name folder that stays empty this long is taken as it is. */
const SETTLE_LIMIT_MS = 10_000;

/**
 * The listing of one store, kept up to date: read once when first asked for, then name by name as folders
 * change. A name with a model.yaml too big for this thread follows from the jobs process. Names that are not watched are compared by the time of their folder when the models folder changes
 * or `recheck` is called.
 */
export class LiveListing implements Disposable {
  readonly #store: ListedStore;
  readonly #jobs: Jobs;
  readonly #startWatch: StartWatch;
  readonly #changed = new Emitter<readonly string[] | "all">();
  readonly #names = new Map<string, NameEntry>();
  readonly #folderTimes = new Map<string, number>();
  readonly #unsettled = new Map<string, number>();
  readonly #pending = new Set<string>();
  /** Names whose last reading left something out; what was known of them stays until the jobs process answers. */
  readonly #tooBig = new Set<string>();
  readonly #ended = new AbortController();
  #pendingRecheck = false;
  #phase: StoreSnapshot["phase"] = "loading";
  #error: WireError | undefined;
  #loading: Promise<void> | undefined;
  #working: Promise<void> = Promise.resolve();
  #watch: StoreWatch | undefined;
  #gather: NodeJS.Timeout | undefined;
  #settle: NodeJS.Timeout | undefined;

  /** The names that changed, or `"all"` after a whole reading. */
  readonly onDidChange = this.#changed.event;

  constructor(store: ListedStore, jobs: Jobs, startWatch: StartWatch) {
    this.#store = store;
    this.#jobs = jobs;
    this.#startWatch = startWatch;
  }

  /** What is known now, without reading anything. */
  get snapshot(): StoreSnapshot {
    return { home: this.#store.home, phase: this.#phase, error: this.#error, names: this.#names };
  }

  /** Reads the store unless that has happened, and starts to watch it; a failure is part of the snapshot. */
  ready(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Reads everything again. */
  refresh(): Promise<void> {
    this.#loading = this.#load();
    return this.#loading;
  }

  /** Reads the names whose folders changed, came or went since they were read. */
  recheck(): void {
    if (!this.#loading) return;
    this.#pendingRecheck = true;
    this.#schedule();
  }

  /** Follows a name closely, as long as the user looks into it. */
  watchName(name: string): void {
    this.#watch?.watchName(name);
  }

  unwatchName(name: string): void {
    this.#watch?.unwatchName(name);
  }

  dispose(): void {
    this.#ended.abort();
    clearTimeout(this.#gather);
    clearTimeout(this.#settle);
    this.#watch?.dispose();
    this.#changed.dispose();
  }

  #load(): Promise<void> {
    this.#working = this.#working.then(() => this.#readAll());
    return this.#working;
  }

  async #readAll(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#watch ??= this.#startWatch(this.#store.home, { onChange: (name) => this.#noteChange(name) });
    try {
      const times = await runSlices(folderTimes(this.#store.home), this.#ended.signal);
      this.#tooBig.clear();
      const names = await this.#list();
      for (const name of this.#names.keys()) if (!this.#tooBig.has(name)) this.#names.delete(name);
      for (const [name, entry] of names) this.#put(name, entry);
      this.#folderTimes.clear();
      for (const [name, time] of times) this.#folderTimes.set(name, time);
      for (const name of this.#folderTimes.keys()) this.#trackSettling(name);
      this.#phase = "ready";
      this.#error = undefined;
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.#names.clear();
      this.#tooBig.clear();
      this.#phase = "failed";
      this.#error = toWireError(error);
    }
    this.#changed.fire("all");
    this.#queueTooBig();
  }

  async #list(name?: string): Promise<Map<string, NameEntry>> {
    const pass = this.#store.listSlices(name, { onTooBig: (big) => this.#tooBig.add(big) });
    return byName(await runSlices(pass, this.#ended.signal));
  }

  #put(name: string, entry: NameEntry | undefined): void {
    if (this.#tooBig.has(name) && this.#names.has(name)) return;
    if (entry) this.#names.set(name, entry);
    else this.#names.delete(name);
  }

  /** One name a turn, so that what changes meanwhile does not wait for all of them. */
  #queueTooBig(): void {
    if (this.#tooBig.size > 0) this.#working = this.#working.then(() => this.#readTooBig());
  }

  async #readTooBig(): Promise<void> {
    const [name] = this.#tooBig;
    if (name === undefined || this.#ended.signal.aborted) return;
    const entry = await this.#entryFromJobs(name);
    if (this.#ended.signal.aborted) return;
    this.#tooBig.delete(name);
    this.#put(name, entry);
    this.#trackSettling(name);
    this.#changed.fire([name]);
    this.#queueTooBig();
  }

  async #entryFromJobs(name: string): Promise<NameEntry | undefined> {
    const input = { home: this.#store.home, name };
    try {
      return byName(await this.#jobs.run(listNameJob, input, { signal: this.#ended.signal })).get(name);
    } catch (error) {
      if (isGone(error)) return undefined;
      const path = nameFolder(layoutOf(input.home), name);
      const item = { name, version: undefined, path, beingWritten: false, error: toWireError(error) };
      return { models: this.#names.get(name)?.models ?? [], broken: [item] };
    }
  }

  #noteChange(name: string | undefined): void {
    if (name === undefined) this.#pendingRecheck = true;
    else this.#pending.add(name);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#ended.signal.aborted || this.#gather) return;
    this.#gather = setTimeout(() => {
      this.#gather = undefined;
      this.#working = this.#working.then(() => this.#readPending());
    }, GATHER_MS);
  }

  async #readPending(): Promise<void> {
    if (this.#phase === "failed") return this.#readAll();
    try {
      const names = new Set(this.#pending);
      this.#pending.clear();
      if (this.#pendingRecheck) {
        this.#pendingRecheck = false;
        for (const name of await this.#changedFolders()) names.add(name);
      }
      if ([...names].some((name) => !isTagPart(name))) return await this.#readAll();
      for (const name of names) await this.#readName(name);
      if (names.size > 0 && !this.#ended.signal.aborted) this.#changed.fire([...names]);
      this.#queueTooBig();
    } catch {
      // What cannot be read name by name (the store itself went away) is told by the whole reading.
      if (!this.#ended.signal.aborted) await this.#readAll();
    }
  }

  async #changedFolders(): Promise<string[]> {
    const times = await runSlices(folderTimes(this.#store.home), this.#ended.signal);
    const gone = [...this.#folderTimes.keys()].filter((name) => !times.has(name));
    const changed = [...times].filter(([name, time]) => this.#folderTimes.get(name) !== time).map(([name]) => name);
    return [...gone, ...changed];
  }

  async #readName(name: string): Promise<void> {
    const time = folderTime(nameFolder(layoutOf(this.#store.home), name));
    this.#tooBig.delete(name);
    this.#put(name, time === undefined ? undefined : await this.#entryOf(name));
    if (time === undefined) this.#folderTimes.delete(name);
    else this.#folderTimes.set(name, time);
    this.#trackSettling(name);
  }

  async #entryOf(name: string): Promise<NameEntry | undefined> {
    try {
      return (await this.#list(name)).get(name);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** A folder inside a version is not watched, so a version in the making is read again until it is whole. */
  #trackSettling(name: string): void {
    const entry = this.#names.get(name);
    const empty = entry === undefined && this.#folderTimes.has(name) && !this.#tooBig.has(name);
    const settling = empty || entry?.broken.some((item) => item.beingWritten) === true;
    if (!settling) this.#unsettled.delete(name);
    else if (!this.#unsettled.has(name)) this.#unsettled.set(name, Date.now());
    this.#settle ??= this.#unsettled.size > 0 ? setTimeout(() => this.#lookAgain(), SETTLE_MS) : undefined;
  }

  #lookAgain(): void {
    this.#settle = undefined;
    for (const [name, since] of this.#unsettled) {
      if (Date.now() - since > SETTLE_LIMIT_MS) this.#unsettled.delete(name);
      else this.#noteChange(name);
    }
  }
}

/** Whether a name went away after it was reported. */
function isGone(error: unknown): boolean {
  return error instanceof ModelbenchError && error.code === "model.notFound";
}

/** By the tag of the folder: that is what every operation takes, even where the model.yaml inside names another. */
function byName(listing: Listing): Map<string, NameEntry> {
  const names = new Map<string, { models: ModelSummary[]; broken: BrokenItem[] }>();
  const entryOf = (name: string) => {
    const entry = names.get(name) ?? { models: [], broken: [] };
    names.set(name, entry);
    return entry;
  };
  for (const model of listing.models) {
    const tag = tagOfFolder(model.path);
    entryOf(tag.name).models.push({ ...model, tag });
  }
  for (const item of listing.broken) entryOf(item.name).broken.push(item);
  return names;
}

/** Modification time of every name folder, in slices; a store without models folder has none. */
function* folderTimes(home: string): Generator<void, Map<string, number>> {
  const { models } = layoutOf(home);
  const times = new Map<string, number>();
  let sliceEnd = performance.now() + SLICE_MS;
  for (const name of entriesOf(models)) {
    const time = folderTime(join(models, name));
    if (time !== undefined) times.set(name, time);
    if (performance.now() < sliceEnd) continue;
    yield;
    sliceEnd = performance.now() + SLICE_MS;
  }
  return times;
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function folderTime(path: string): number | undefined {
  try {
    const stat = statSync(path);
    return stat.isDirectory() ? stat.mtimeMs : undefined;
  } catch {
    return undefined;
  }
}
