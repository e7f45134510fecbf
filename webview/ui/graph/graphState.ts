import { signal } from "@preact/signals";
import {
  GRAPH_PART,
  type GraphRow,
  type GraphView,
  type NodeRow,
  type NodeView,
  type ValueRow,
} from "../../protocol/graph";
import type { PagePeer } from "../../protocol/pagePeer";
import type { SavedGraph } from "../../protocol/savedState";
import type { ErrorView } from "../../protocol/views";
import { failureOf } from "../editState";
import type { Loadable } from "../pageState";

/** The tables of a graph. */
export type GraphTable = SavedGraph["table"];
/** A row of any of them. */
export type TableRow = NodeRow | ValueRow | GraphRow;

/** Which rows are shown. */
export interface GraphQuery {
  readonly table: GraphTable;
  readonly query: string;
  /** Only nodes of this operator. */
  readonly op: string | null;
}

/** Rows as far as they were read, by the part they came in. */
export interface ShownRows {
  /** How many fit; `undefined` before the first answer. */
  readonly total: number | undefined;
  readonly parts: ReadonlyMap<number, readonly TableRow[]>;
  readonly error: ErrorView | undefined;
}

const FIRST: GraphQuery = { table: "nodes", query: "", op: null };
const NOTHING: ShownRows = { total: undefined, parts: new Map(), error: undefined };
/** Parts that are kept: some 20,000 rows. */
const MOST_PARTS = 100;
/** How long a row must have been chosen before its node is read, so that walking through rows reads none. */
const DWELL_MS = 120;
/** How long the node that was chosen before stays on the screen while the next one is read. */
const STALE_MS = 300;

/** The graph that is looked at, the rows of it that are seen, and the node that is chosen. */
export class GraphState {
  readonly view = signal<Loadable<GraphView>>({ state: "loading" });
  readonly shown = signal<GraphQuery>(FIRST);
  readonly rows = signal<ShownRows>(NOTHING);
  /** Row of the table that is chosen, counted among those that fit. */
  readonly active = signal(0);
  /** Raised when the table is to bring the active row into sight and take the focus. */
  readonly goes = signal(0);
  /** The last of these that a table has followed; a table that is drawn anew goes on from there. */
  goesSeen = 0;
  readonly node = signal<Loadable<NodeView> | undefined>(undefined);
  readonly #peer: PagePeer;
  readonly #changed: () => void;
  /** Where one was in each graph, so that going back finds it again. */
  readonly #places = new Map<number, { readonly shown: GraphQuery; readonly active: number }>();
  #graph = 0;
  #isWanted = false;
  /** The table takes the focus as soon as the active row is there. */
  #isGoing = false;
  #opening: AbortController | undefined;
  #listing = new AbortController();
  #describing: AbortController | undefined;
  #dwell: ReturnType<typeof setTimeout> | undefined;
  readonly #asked = new Set<number>();

  /** @param changed something was chosen: remember it */
  constructor(peer: PagePeer, changed: () => void) {
    this.#peer = peer;
    this.#changed = changed;
  }

  /** The section is seen: the graph is read if that has not happened. */
  open(): void {
    this.#isWanted = true;
    if (!this.#opening) void this.#describe();
  }

  /** The content was read again: what is shown of it is read again too, if it was read before. */
  renew(): void {
    this.#stop();
    if (this.#isWanted) void this.#describe();
  }

  /** The page is about something else now; `saved` is what was chosen when its state was saved. */
  reset(saved: SavedGraph | undefined): void {
    this.#stop();
    this.#isWanted = false;
    this.#places.clear();
    this.#graph = saved?.graph ?? 0;
    this.view.value = { state: "loading" };
    this.shown.value = saved ? { table: saved.table, query: saved.query, op: saved.op } : FIRST;
    this.active.value = saved?.active ?? 0;
  }

  /** What to remember. */
  get saved(): SavedGraph {
    return { graph: this.#graph, ...this.shown.value, active: this.active.value };
  }

  /** Shows other rows of the graph. */
  show(change: Partial<GraphQuery>): void {
    this.shown.value = { ...this.shown.value, ...change };
    this.active.value = 0;
    this.#relist();
    this.#changed();
  }

  /** Enters a graph or function, or goes back to one; `node` is then chosen there. */
  enter(graph: number, node?: number): void {
    this.#places.set(this.#graph, { shown: this.shown.value, active: this.active.value });
    const place = node === undefined ? this.#places.get(graph) : undefined;
    const isSame = graph === this.#graph;
    this.#graph = graph;
    this.shown.value = place?.shown ?? FIRST;
    this.active.value = node ?? place?.active ?? 0;
    this.#isGoing = true;
    this.#changed();
    if (isSame) this.#relist();
    else void this.#describe();
  }

  /** Goes back to the graph around this one; nothing happens in the main graph. */
  leave(): void {
    const view = this.view.value;
    const around = view.state === "ready" ? view.value.path.at(-2) : undefined;
    if (around) this.enter(around.graph);
  }

  /** The table takes the focus. */
  focusRows(): void {
    this.goes.value += 1;
  }

  /** Chooses a row. */
  choose(row: number): void {
    if (this.active.value === row) return;
    this.active.value = row;
    this.#changed();
    this.#look();
  }

  /** The row at a place; `undefined` while it is not there. */
  rowAt(row: number): TableRow | undefined {
    return this.rows.value.parts.get(Math.floor(row / GRAPH_PART))?.[row % GRAPH_PART];
  }

  /** Reads the rows from one to another, which is left out, as far as that has not happened. */
  need(from: number, to: number): void {
    const last = Math.floor(Math.max(from, to - 1) / GRAPH_PART);
    for (let part = Math.floor(from / GRAPH_PART); part <= last; part++) void this.#read(part);
  }

  async #describe(): Promise<void> {
    this.#stop();
    const opening = new AbortController();
    this.#opening = opening;
    const next = await this.#peer.request("graph/describe", { graph: this.#graph }, opening.signal).then(
      (value): Loadable<GraphView> => ({ state: "ready", value }),
      (error): Loadable<GraphView> => ({ state: "failed", error: failureOf(error) }),
    );
    if (this.#opening !== opening) return;
    if (next.state === "failed" && this.#graph !== 0) {
      // The file changed, and the graph is no longer there.
      this.#graph = 0;
      this.shown.value = FIRST;
      this.active.value = 0;
      return this.#describe();
    }
    this.view.value = next;
    this.#relist();
  }

  #relist(): void {
    this.#listing.abort();
    this.#listing = new AbortController();
    this.#asked.clear();
    this.rows.value = NOTHING;
    this.#forgetNode();
    void this.#read(Math.floor(this.active.value / GRAPH_PART));
  }

  async #read(part: number): Promise<void> {
    if (this.#asked.has(part)) return;
    this.#asked.add(part);
    const listing = this.#listing;
    try {
      const { rows, total } = await this.#ask(part * GRAPH_PART, listing.signal);
      if (this.#listing !== listing) return;
      const parts = new Map(this.rows.value.parts).set(part, rows);
      const [oldest] = parts.keys();
      if (parts.size > MOST_PARTS && oldest !== undefined) {
        parts.delete(oldest);
        this.#asked.delete(oldest);
      }
      this.rows.value = { total, parts, error: undefined };
      if (this.active.value >= total) this.active.value = Math.max(0, total - 1);
      if (Math.floor(this.active.value / GRAPH_PART) !== part) return;
      this.#look();
      if (this.#isGoing) this.goes.value += 1;
      this.#isGoing = false;
    } catch (error) {
      if (this.#listing !== listing || listing.signal.aborted) return;
      this.#asked.delete(part);
      this.rows.value = { ...this.rows.value, error: failureOf(error) };
    }
  }

  #ask(start: number, signal: AbortSignal): Promise<{ readonly rows: readonly TableRow[]; readonly total: number }> {
    const { table, query, op } = this.shown.value;
    const part = { query, start, count: GRAPH_PART };
    const graph = this.#graph;
    if (table === "nodes") return this.#peer.request("graph/nodes", { graph, op, ...part }, signal);
    if (table === "values") return this.#peer.request("graph/values", { graph, ...part }, signal);
    return this.#peer.request("graph/graphs", part, signal);
  }

  /** Reads the chosen node once it has been chosen for a moment. */
  #look(): void {
    this.#stopReading();
    const row = this.rowAt(this.active.value);
    if (this.shown.value.table !== "nodes" || (row && !("op" in row))) this.node.value = undefined;
    else if (row) this.#dwell = setTimeout(() => void this.#describeNode(row.index), DWELL_MS);
  }

  async #describeNode(node: number): Promise<void> {
    const describing = new AbortController();
    this.#describing = describing;
    const stale = setTimeout(() => {
      if (this.#describing === describing) this.node.value = { state: "loading" };
    }, STALE_MS);
    const next = await this.#peer.request("graph/node", { graph: this.#graph, node }, describing.signal).then(
      (value): Loadable<NodeView> => ({ state: "ready", value }),
      (error): Loadable<NodeView> => ({ state: "failed", error: failureOf(error) }),
    );
    clearTimeout(stale);
    if (this.#describing === describing) this.node.value = next;
  }

  #stopReading(): void {
    clearTimeout(this.#dwell);
    this.#describing?.abort();
    this.#describing = undefined;
  }

  #forgetNode(): void {
    this.#stopReading();
    this.node.value = undefined;
  }

  #stop(): void {
    this.#opening?.abort();
    this.#opening = undefined;
    this.#listing.abort();
    this.#forgetNode();
  }
}
