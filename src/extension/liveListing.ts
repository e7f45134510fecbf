import { toWireError, type WireError } from "../base/errors";
import { Emitter } from "../base/events";
import type { Jobs } from "../base/ports";
import type { Disposable } from "../base/scope";
import { Slice } from "../base/slice";
import { layoutOf, nameFolder, tagOfFolder } from "../store/layout";
import type { ListingCache } from "../store/listingCache";
import { listNameJob } from "../store/listNameJob";
import type { BrokenItem, Listing, ModelSummary } from "../store/model";
import type { ModelStore } from "../store/modelStore";
import { rememberListingJob } from "../store/rememberListingJob";
import { LabelReader } from "./labelReader";
import { Awaited, NamesToRead } from "./namesToRead";
import type { Labels } from "./services";
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
  /** The folders that changed last come first while entries are pending; otherwise in no order. */
  readonly names: ReadonlyMap<string, NameEntry>;
}

/** The part of a store that is listed and watched. */
export type ListedStore = Pick<ModelStore, "home" | "folderMs" | "listingCache" | "nameSlices" | "versionSlices">;

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
/** A store that is read within this time is shown at once with everything; a bigger one by its names first. */
const NAMES_FIRST_MS = 30;
/** What is read is told in batches: each makes the tree draw rows anew. */
const BATCH_MS = 250;

/**
 * The listing of one store, kept up to date: the names first, then name by name what is in them, those that somebody
 * asks for before the others; afterwards only what changed. A name with a model.yaml too big for this thread follows
 * from the jobs process. Names that are not watched are compared by the time of their folder when the models folder
 * changes or `recheck` is called.
 */
export class LiveListing implements Disposable {
  readonly #store: ListedStore;
  readonly #jobs: Jobs;
  readonly #startWatch: StartWatch;
  readonly #changed = new Emitter<readonly string[] | "all">();
  readonly #names = new Map<string, NameEntry>();
  readonly #folderTimes = new Map<string, number>();
  readonly #unsettled = new Map<string, number>();
  readonly #toRead = new NamesToRead();
  /**
   * Names whose last reading left something out, by the number of that reading; what was known of them stays until
   * the jobs process answers.
   */
  readonly #tooBig = new Map<string, number>();
  readonly #ended = new AbortController();
  readonly #named = new Awaited();
  readonly #labels: LabelReader;
  /** What is to be found out about the folders of the names before anything in them is read. */
  #lookAt: "nothing" | "changed" | "all" = "nothing";
  #phase: StoreSnapshot["phase"] = "loading";
  #error: WireError | undefined;
  #loading: Promise<void> | undefined;
  #working: Promise<void> | undefined;
  #bigWork: Promise<void> | undefined;
  #readings = 0;
  /** What listeners have not been told yet. */
  #untold: Set<string> | "all" = new Set();
  #toldAt = 0;
  /** What an earlier window or command read, while the whole store is listed. */
  #cache: ListingCache | undefined;
  #watch: StoreWatch | undefined;
  #gather: NodeJS.Timeout | undefined;
  #settle: NodeJS.Timeout | undefined;

  /** The names that changed, or `"all"` when names were found or the phase changed. */
  readonly onDidChange = this.#changed.event;

  constructor(store: ListedStore, jobs: Jobs, startWatch: StartWatch) {
    this.#store = store;
    this.#jobs = jobs;
    this.#startWatch = startWatch;
    this.#labels = new LabelReader(jobs, this.#ended.signal);
  }

  /** What is known now, without reading anything. */
  get snapshot(): StoreSnapshot {
    return { home: this.#store.home, phase: this.#phase, error: this.#error, names: this.#names };
  }

  /** Reads the store unless that has happened, and starts to watch it; a failure is part of the snapshot. */
  ready(): Promise<void> {
    this.#loading ??= this.refresh();
    return this.#loading;
  }

  /** The same, answered as soon as the names are known. */
  named(): Promise<void> {
    return Promise.race([this.#named.promise, this.ready()]);
  }

  /** One name, read before the others if it is still pending; `undefined` when it is not there. */
  async details(name: string): Promise<NameEntry | undefined> {
    await this.named();
    if (this.#names.get(name)?.pending) await Promise.race([this.#toRead.first(name), this.#work()]);
    return this.#names.get(name);
  }

  /** The labels of every version by tag, read when asked for; of none once this listing ended. */
  async labels(): Promise<Labels> {
    await this.ready();
    const models = [...this.#names.values()].flatMap((entry) => entry.models);
    return this.#labels.labels(models).catch((error) => {
      if (this.#ended.signal.aborted) return new Map();
      throw error;
    });
  }

  /** Reads everything again. */
  refresh(): Promise<void> {
    this.#lookAt = "all";
    this.#loading = this.#work();
    return this.#loading;
  }

  /** Reads the names whose folders changed, came or went since they were read. */
  recheck(): void {
    if (this.#loading) this.#noteChange(undefined);
  }

  /** Reads a name again: somebody saw that something in it was written. */
  touched(name: string): void {
    if (this.#loading) this.#noteChange(name);
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

  /** Does whatever is to be done until nothing is; what comes while it works is done too. Never fails. */
  #work(): Promise<void> {
    this.#working ??= this.#untilDone().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #untilDone(): Promise<void> {
    // What is asked for in one breath is done in one pass.
    await Promise.resolve();
    const signal = this.#ended.signal;
    try {
      while (!signal.aborted && (this.#lookAt !== "nothing" || this.#toRead.size > 0)) {
        if (this.#lookAt !== "nothing") await this.#readNames(this.#lookAt);
        await runSlices(this.#tellingMeanwhile(this.#readVersions()), signal);
      }
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
    if (signal.aborted) return;
    this.#named.resolve();
    this.#tell();
    this.#readTooBig();
    this.#remember();
  }

  /** Lets the jobs process note down for the next window what was read, unless most of it was known. */
  #remember(): void {
    const isWorthIt = this.#cache?.isWorthSaving;
    this.#cache = undefined;
    // A store that cannot be written to does without.
    if (isWorthIt) this.#jobs.run(rememberListingJob, { home: this.#store.home }).catch(() => undefined);
  }

  async #readNames(which: "changed" | "all"): Promise<void> {
    this.#lookAt = "nothing";
    this.#watch ??= this.#startWatch(this.#store.home, { onChange: (name) => this.#noteChange(name) });
    if (which === "all") this.#cache = this.#store.listingCache();
    const everything = which === "all" || this.#phase === "failed" || this.#phase === "loading";
    const found = await runSlices(this.#store.nameSlices(new Slice(SLICE_MS)), this.#ended.signal);
    for (const name of [...this.#names.keys(), ...this.#folderTimes.keys()]) if (!found.has(name)) this.#drop(name);
    // The folders that changed last are on top of the tree.
    for (const [name, folderMs] of [...found].sort((a, b) => b[1] - a[1])) {
      if (!everything && this.#folderTimes.get(name) === folderMs) continue;
      this.#toRead.add(name, folderMs);
      if (!this.#names.has(name)) this.#names.set(name, { models: [], broken: [], pending: true, folderMs });
    }
    if (everything) this.#untold = "all";
    this.#error = undefined;
    if (this.#phase !== "ready" || this.#toRead.size > 0) this.#phase = "named";
    this.#toldAt = performance.now() - BATCH_MS + NAMES_FIRST_MS;
  }

  /** Does work in slices, and tells from time to time what is known by then. */
  *#tellingMeanwhile(work: Generator<void, void>): Generator<void, void> {
    while (!work.next().done) {
      if (performance.now() - this.#toldAt > BATCH_MS) this.#tell();
      yield;
    }
  }

  *#readVersions(): Generator<void, void> {
    const slice = new Slice(SLICE_MS);
    for (let next = this.#toRead.take(); next !== undefined; next = this.#toRead.take()) {
      const [name, folderMs] = next;
      yield* this.#readName(name, folderMs, slice);
      this.#toRead.done(name);
      if (this.#lookAt !== "nothing") return;
      yield* slice.rest();
    }
    this.#phase = "ready";
  }

  *#readName(name: string, known: number | undefined, slice: Slice): Generator<void, void> {
    const folderMs = known ?? this.#store.folderMs(name);
    this.#tooBig.delete(name);
    if (folderMs === undefined) return this.#drop(name);
    this.#readings += 1;
    const onTooBig = (big: string): unknown => this.#tooBig.set(big, this.#readings);
    const entry = entryOf(yield* this.#store.versionSlices(name, { slice, onTooBig, cache: this.#cache }));
    this.#folderTimes.set(name, folderMs);
    if (!this.#tooBig.has(name) || this.#names.get(name)?.pending) this.#put(name, entry);
    this.#trackSettling(name);
  }

  #put(name: string, entry: NameEntry | undefined): void {
    if (entry) this.#names.set(name, entry);
    else this.#names.delete(name);
    this.#noteUntold(name);
  }

  #drop(name: string): void {
    this.#folderTimes.delete(name);
    this.#tooBig.delete(name);
    this.#put(name, undefined);
    this.#trackSettling(name);
  }

  #fail(error: unknown): void {
    this.#names.clear();
    this.#folderTimes.clear();
    this.#toRead.clear();
    this.#tooBig.clear();
    this.#phase = "failed";
    this.#error = toWireError(error);
    this.#untold = "all";
  }

  #noteUntold(name: string): void {
    if (this.#untold !== "all") this.#untold.add(name);
  }

  #tell(): void {
    const what = this.#untold;
    this.#untold = new Set();
    this.#toldAt = performance.now();
    this.#named.resolve();
    if (what === "all") this.#changed.fire("all");
    else if (what.size > 0) this.#changed.fire([...what]);
  }

  /** One name after the other, while everything else goes on. */
  #readTooBig(): void {
    const [big] = this.#tooBig;
    if (big === undefined) return;
    this.#bigWork ??= this.#readBig(...big).finally(() => {
      this.#bigWork = undefined;
      if (!this.#ended.signal.aborted) this.#readTooBig();
    });
  }

  async #readBig(name: string, reading: number): Promise<void> {
    const entry = await this.#entryFromJobs(name);
    // It may have been read again meanwhile.
    if (this.#ended.signal.aborted || this.#tooBig.get(name) !== reading) return;
    this.#tooBig.delete(name);
    this.#put(name, entry);
    this.#trackSettling(name);
    this.#tell();
  }

  async #entryFromJobs(name: string): Promise<NameEntry | undefined> {
    const input = { home: this.#store.home, name };
    try {
      return entryOf(await this.#jobs.run(listNameJob, input, { signal: this.#ended.signal }));
    } catch (error) {
      const path = nameFolder(layoutOf(input.home), name);
      const item = { name, version: undefined, path, beingWritten: false, error: toWireError(error) };
      return { models: this.#names.get(name)?.models ?? [], broken: [item] };
    }
  }

  #noteChange(name: string | undefined): void {
    if (name !== undefined) this.#toRead.add(name, undefined);
    else if (this.#lookAt === "nothing") this.#lookAt = "changed";
    this.#schedule();
  }

  #schedule(): void {
    if (this.#ended.signal.aborted || this.#gather) return;
    this.#gather = setTimeout(() => {
      this.#gather = undefined;
      if (this.#phase === "failed") this.#lookAt = "all";
      void this.#work();
    }, GATHER_MS);
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

/** What a name holds; `undefined` when that is nothing. A model goes by the tag of its folder: that is what every
 *  operation takes, even where the model.yaml inside names another. */
function entryOf({ models, broken }: Listing): NameEntry | undefined {
  if (models.length + broken.length === 0) return undefined;
  return {
    models: models.map((one) => (one.warnings.length === 0 ? one : { ...one, tag: tagOfFolder(one.path) })),
    broken,
  };
}
