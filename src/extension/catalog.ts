import { Emitter } from "../base/events";
import type { Jobs } from "../base/ports";
import type { Disposable } from "../base/scope";
import type { ModelSummary } from "../store/model";
import { formatTag, parseTag } from "../store/tag";
import { type ListedStore, LiveListing, type NameEntry, type StartWatch, type StoreSnapshot } from "./liveListing";
import type { Labels, ModelRef, StoreId } from "./services";

/** What became different: one store, and in it some names or all of it. */
export interface CatalogChange {
  readonly store: StoreId;
  readonly names: readonly string[] | "all";
}

/** An open store as far as the catalog follows it. */
export interface CatalogStore {
  readonly id: StoreId;
  readonly store: ListedStore;
}

/** The live listing of the open stores: what the tree, the pickers and the pages show. */
export class Catalog implements Disposable {
  readonly #jobs: Jobs;
  readonly #startWatch: StartWatch;
  readonly #changed = new Emitter<CatalogChange>();
  readonly #listings = new Map<StoreId, { readonly store: ListedStore; readonly listing: LiveListing }>();
  #order: readonly StoreId[] = [];

  /** Fires after the snapshot changed. */
  readonly onDidChange = this.#changed.event;

  constructor(jobs: Jobs, startWatch: StartWatch) {
    this.#jobs = jobs;
    this.#startWatch = startWatch;
  }

  /** The stores that are open, the user's own first. */
  get stores(): readonly StoreId[] {
    return this.#order;
  }

  /** Follows exactly these stores from now on; one that stays the same keeps its listing. Reads nothing. */
  follow(stores: readonly CatalogStore[]): void {
    const closed = this.#order.filter((id) => !stores.some((open) => open.id === id));
    this.#order = stores.map(({ id }) => id);
    for (const id of closed) this.#attach(id, undefined);
    for (const { id, store } of stores) this.#attach(id, store);
  }

  /** What is known now, without reading anything; `undefined` when that store is not open. */
  snapshot(id: StoreId): StoreSnapshot | undefined {
    return this.#listings.get(id)?.listing.snapshot;
  }

  /** What a store holds, read first if nobody has asked before; `undefined` when that store is not open. */
  async ready(id: StoreId): Promise<StoreSnapshot | undefined> {
    await this.#listings.get(id)?.listing.ready();
    return this.snapshot(id);
  }

  /** What names a store holds, as soon as that is known: entries may still be pending. */
  async named(id: StoreId): Promise<StoreSnapshot | undefined> {
    await this.#listings.get(id)?.listing.named();
    return this.snapshot(id);
  }

  /** One name, read before the others if it is still pending; `undefined` when it is not there. */
  async details(id: StoreId, name: string): Promise<NameEntry | undefined> {
    return this.#listings.get(id)?.listing.details(name);
  }

  /** The labels of every version of a store by tag, read when asked for; none when that store is not open. */
  async labels(id: StoreId): Promise<Labels> {
    return (await this.#listings.get(id)?.listing.labels()) ?? new Map();
  }

  /** Reads every open store again. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#listings.values()].map(({ listing }) => listing.refresh()));
  }

  /** Reads what changed on disk while nobody watched. */
  recheck(): void {
    for (const { listing } of this.#listings.values()) listing.recheck();
  }

  /** Reads a name again: somebody saw that something in it was written. */
  touched(id: StoreId, name: string): void {
    this.#listings.get(id)?.listing.touched(name);
  }

  /** Follows a name closely or no longer. */
  watchName(id: StoreId, name: string, watched: boolean): void {
    const listing = this.#listings.get(id)?.listing;
    if (watched) listing?.watchName(name);
    else listing?.unwatchName(name);
  }

  /** What is known of one version; `undefined` when it is not there or not read yet. */
  find(ref: ModelRef): ModelSummary | undefined {
    const { name } = parseTag(ref.tag);
    const entry = this.snapshot(ref.store)?.names.get(name);
    return entry?.models.find((model) => formatTag(model.tag) === ref.tag);
  }

  /** Whether an open store does not hold this version, as far as is known; what is still to be read is not gone. */
  isGone(ref: ModelRef): boolean {
    const snapshot = this.snapshot(ref.store);
    const isPending = snapshot?.names.get(parseTag(ref.tag).name)?.pending;
    return snapshot !== undefined && !isPending && this.find(ref) === undefined;
  }

  dispose(): void {
    for (const { listing } of this.#listings.values()) listing.dispose();
    this.#listings.clear();
    this.#changed.dispose();
  }

  #attach(id: StoreId, store: ListedStore | undefined): void {
    const known = this.#listings.get(id);
    if (known?.store === store) return;
    known?.listing.dispose();
    this.#listings.delete(id);
    if (store) {
      const listing = new LiveListing(store, this.#jobs, this.#startWatch);
      listing.onDidChange((names) => this.#changed.fire({ store: id, names }));
      this.#listings.set(id, { store, listing });
    }
    this.#changed.fire({ store: id, names: "all" });
  }
}
