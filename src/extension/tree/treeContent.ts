import { setTimeout as pause } from "node:timers/promises";
import { Emitter } from "../../base/events";
import type { Log } from "../../base/log";
import type { Disposable } from "../../base/scope";
import { type Filter, matches, needsLabels } from "../../store/filter";
import { layoutOf } from "../../store/layout";
import type { ModelSummary } from "../../store/model";
import { pinnedTags } from "../../store/pins";
import { formatTag } from "../../store/tag";
import type { Catalog, CatalogChange } from "../catalog";
import { frameworkFacts } from "../frameworkFacts";
import type { Labels, Localize, Settings, StoreId } from "../services";
import { runSlices } from "../slices";
import { type Accepts, type Arrangement, arrange, labelKey, type TreeState } from "./arrange";
import { nodeId, type TreeNode } from "./treeModel";

/** What the content of the tree is made from. */
export interface ContentParts {
  readonly catalog: Pick<Catalog, "labels" | "onDidChange" | "snapshot" | "stores">;
  readonly settings: () => Pick<Settings, "groupBy" | "sortBy">;
  readonly t: Localize;
  readonly log: Log;
}

/** A filter with the text it was read from. */
export interface TypedFilter {
  readonly text: string;
  readonly parsed: Filter;
}

/** Rows whose names changed, or everything. */
export type ContentChange = "all" | readonly { readonly store: StoreId; readonly name: string }[];

/** After a long arrangement the thread is left to others for so many times what it took, */
const REST_FACTOR = 4;
/** but no longer than this, so that the tree stays live. */
const LONGEST_REST_MS = 250;

const NOTHING: TreeState = {
  ...{ snapshots: new Map(), sortBy: "created", groupBy: "name", accepts: undefined },
  ...{ labels: new Map(), pins: new Map(), frameworkOf: (module) => module },
};

/**
 * What the models tree shows, put together anew whenever the catalog, the filter, the order or the pins changed: in
 * slices, and one time for changes that come close together.
 */
export class TreeContent implements Disposable {
  readonly #parts: ContentParts;
  readonly #changed = new Emitter<ContentChange>();
  readonly #owned: Disposable[] = [this.#changed];
  readonly #pins = new Map<StoreId, ReadonlySet<string>>();
  #arrangement: Arrangement = runThrough(arrange(NOTHING));
  #filter: TypedFilter | undefined;
  #stale: "no" | "all" | Map<string, { readonly store: StoreId; readonly name: string }> = "no";
  #turn: Promise<void> | undefined;
  #ended = false;

  /** What has to be drawn anew. */
  readonly onDidChange = this.#changed.event;

  constructor(parts: ContentParts) {
    this.#parts = parts;
    this.#owned.push(parts.catalog.onDidChange((change) => this.#catalogChanged(change)));
  }

  /** The rows as they were put together last. */
  get arrangement(): Arrangement {
    return this.#arrangement;
  }

  /** Narrows the tree to what fits; `undefined` = everything. */
  set filter(filter: TypedFilter | undefined) {
    this.#filter = filter;
    this.arrangeAnew();
  }

  /** Whether the labels of all versions are being read, which a big store takes a while for. */
  get isReadingLabels(): boolean {
    return this.#turn !== undefined && this.#wantsLabels() && this.#arrangement.state.labels.size === 0;
  }

  /** Puts everything together anew: the order, the groups or the stores changed. */
  arrangeAnew(): void {
    this.#stale = "all";
    this.#turn ??= this.#keepUp();
  }

  /** Looks at the pins again; nothing is drawn when they are as they were. */
  lookAtPins(): void {
    const before = [...this.#pins].map(([store, tags]) => [store, ...tags].join()).join();
    this.#pins.clear();
    for (const store of this.#parts.catalog.stores) this.#readPins(store);
    if (before !== [...this.#pins].map(([store, tags]) => [store, ...tags].join()).join()) this.arrangeAnew();
  }

  /** Answers when the arrangement under way is done; at once when there is none. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  dispose(): void {
    this.#ended = true;
    for (const thing of this.#owned.reverse()) thing.dispose();
  }

  #catalogChanged({ store, names }: CatalogChange): void {
    if (names === "all") this.#pins.delete(store);
    if (names === "all") this.#stale = "all";
    else if (this.#stale === "no") this.#stale = new Map();
    if (names !== "all" && this.#stale !== "all") {
      for (const name of names) this.#stale.set(`${store}/${name}`, { store, name });
    }
    this.#turn ??= this.#keepUp();
  }

  async #keepUp(): Promise<void> {
    try {
      while (this.#stale !== "no" && !this.#ended) {
        const started = performance.now();
        const stale = this.#stale;
        this.#stale = "no";
        await this.#arrangeOnce(stale === "all" ? "all" : [...stale.values()]);
        const rest = Math.min(LONGEST_REST_MS, REST_FACTOR * (performance.now() - started));
        if (this.#isStale()) await pause(rest);
      }
    } catch (error) {
      this.#parts.log.error("The models tree could not be put together", error);
    } finally {
      this.#turn = undefined;
    }
  }

  #isStale(): boolean {
    return this.#stale !== "no";
  }

  async #arrangeOnce(changed: ContentChange): Promise<void> {
    const labels = this.#wantsLabels() ? await this.#readLabels() : new Map<StoreId, Labels>();
    const before = this.#arrangement;
    this.#arrangement = await runSlices(arrange(this.#state(labels)));
    if (this.#ended) return;
    const whole = changed === "all" || this.#arrangement.state.groupBy !== "name" || !this.#sameNames(before);
    this.#changed.fire(whole ? "all" : changed);
  }

  /** Whether the same names stand in the same order, so that only what is below some of them has to be drawn. */
  #sameNames(before: Arrangement): boolean {
    const rows = ({ tops, children }: Arrangement, at: Arrangement) =>
      tops.flatMap((node) => (node.kind === "root" ? [node, ...children.call(at, node)] : [node]));
    const [now, then] = [rows(this.#arrangement, this.#arrangement), rows(before, before)];
    return now.length === then.length && now.every((node, i) => isSameRow(node, then[i]));
  }

  #state(labels: ReadonlyMap<StoreId, Labels>): TreeState {
    const { catalog, settings, t } = this.#parts;
    const { groupBy, sortBy } = settings();
    const known = catalog.stores.flatMap((id) => {
      const snapshot = catalog.snapshot(id);
      return snapshot ? [[id, snapshot] as const] : [];
    });
    for (const [id] of known) if (!this.#pins.has(id)) this.#readPins(id);
    return {
      ...{ snapshots: new Map(known), sortBy, groupBy, labels, pins: new Map(this.#pins) },
      accepts: this.#filter && accepts(this.#filter, labels),
      frameworkOf: (module) => frameworkFacts(t, module).label,
    };
  }

  #readPins(store: StoreId): void {
    const home = this.#parts.catalog.snapshot(store)?.home;
    if (home !== undefined) this.#pins.set(store, pinnedTags(layoutOf(home)));
  }

  #wantsLabels(): boolean {
    return (
      labelKey(this.#parts.settings().groupBy) !== "" ||
      (this.#filter !== undefined && needsLabels(this.#filter.parsed))
    );
  }

  async #readLabels(): Promise<ReadonlyMap<StoreId, Labels>> {
    const { catalog } = this.#parts;
    const read = catalog.stores.map(async (id) => [id, await catalog.labels(id)] as const);
    return new Map(await Promise.all(read));
  }
}

/** A filter as the tree asks it; what cannot be read has a name and a version, and nothing else to be found by. */
function accepts({ parsed: filter, text }: TypedFilter, labels: ReadonlyMap<StoreId, Labels>): Accepts {
  const nowMs = Date.now();
  return {
    text,
    version: (store: StoreId, model: ModelSummary) =>
      matches(filter, model, labels.get(store)?.get(formatTag(model.tag)), nowMs),
    broken: ({ name, version = "" }) =>
      matches(filter, { tag: { name, version }, module: "", ...UNKNOWN }, undefined, nowMs),
  };
}

/** Neither larger nor smaller than anything. */
const UNKNOWN = { creationMs: Number.NaN, sizeBytes: Number.NaN };

function runThrough<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Compares without making ids, of which a big store has many. */
function isSameRow(a: TreeNode, b: TreeNode | undefined): boolean {
  if (a.kind === "name")
    return b?.kind === "name" && a.name === b.name && a.store === b.store && a.narrowed === b.narrowed;
  return b !== undefined && nodeId(a) === nodeId(b);
}
