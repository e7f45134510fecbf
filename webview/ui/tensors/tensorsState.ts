import { signal } from "@preact/signals";
import { type StatisticsView, TENSOR_PART, type TensorRow, type TensorView } from "../../protocol/content";
import type { PagePeer } from "../../protocol/pagePeer";
import type { SavedTensors } from "../../protocol/savedState";
import type { ErrorView } from "../../protocol/views";
import { failureOf } from "../editState";
import type { TensorOrder } from "./tensorTree";

/** A tensor that is looked at, and which of its axes. */
export interface ChosenTensor {
  readonly tensor: number;
  readonly row: TensorRow;
  readonly view: TensorView;
}

/** The figures of one tensor: being read, read, or not read for a reason. */
export type StatisticsState =
  | { readonly state: "reading"; readonly abort: AbortController }
  | { readonly state: "ready"; readonly value: StatisticsView }
  | { readonly state: "failed"; readonly error: ErrorView };

/** What the state needs of the page. */
export interface TensorsPort {
  /** Tensors that the content has; 0 while it is not known. */
  total(): number;
  /** Something was chosen: remember it. */
  changed(): void;
}

/** A long list is shown as far as it was read this often, in milliseconds: each time its groups are made again. */
const LIST_MS = 250;

/** The list of tensors and what is chosen of it; it outlives the section's being hidden. */
export class TensorsState {
  readonly rows = signal<readonly TensorRow[]>([]);
  readonly isComplete = signal(false);
  readonly failure = signal<ErrorView | undefined>(undefined);
  readonly query = signal("");
  readonly order = signal<TensorOrder>("file");
  readonly isFlat = signal(false);
  readonly isHeatMap = signal(false);
  /** Groups that the user opened or closed, by their ids. */
  readonly expanded = signal<ReadonlyMap<string, boolean>>(new Map());
  readonly chosen = signal<ChosenTensor | undefined>(undefined);
  /** Name of the tensor that was looked at and is no longer there. */
  readonly lost = signal<string | undefined>(undefined);
  readonly statistics = signal<ReadonlyMap<number, StatisticsState>>(new Map());
  /** Raised when values that were read are out of date. */
  readonly revision = signal(0);
  readonly #peer: PagePeer;
  readonly #port: TensorsPort;
  #listing: AbortController | undefined;
  #isWanted = false;
  #wanted: SavedTensors["chosen"] = null;

  constructor(peer: PagePeer, port: TensorsPort) {
    this.#peer = peer;
    this.#port = port;
  }

  /** The section is seen: the list is read if that has not happened. */
  open(): void {
    this.#isWanted = true;
    if (!this.#listing) void this.#list();
  }

  /** The content was read again: values are forgotten, and the list is read again if it was read before. */
  renew(): void {
    this.#forget();
    this.revision.value += 1;
    if (this.#isWanted) void this.#list();
  }

  /** The page is about something else now; `saved` is what was chosen when its state was saved. */
  reset(saved: SavedTensors | undefined): void {
    this.#forget();
    this.#isWanted = false;
    this.rows.value = [];
    this.isComplete.value = false;
    this.failure.value = undefined;
    this.query.value = "";
    this.order.value = "file";
    this.expanded.value = new Map();
    this.chosen.value = undefined;
    this.lost.value = undefined;
    this.isFlat.value = saved?.isFlat ?? false;
    this.isHeatMap.value = saved?.isHeatMap ?? false;
    this.#wanted = saved?.chosen ?? null;
  }

  /** What to remember; `null` while all is as at first. */
  get saved(): SavedTensors | null {
    const [now, isFlat, isHeatMap] = [this.chosen.value, this.isFlat.value, this.isHeatMap.value];
    const chosen = now ? { tensor: now.tensor, name: now.row.name, view: now.view } : this.#wanted;
    return chosen || isFlat || isHeatMap ? { chosen, isFlat, isHeatMap } : null;
  }

  /** Looks at a tensor, from its first values on. */
  choose(tensor: number): void {
    const row = this.rows.value[tensor];
    if (!row || this.chosen.value?.tensor === tensor) return;
    this.lost.value = undefined;
    this.chosen.value = { tensor, row, view: firstView(row.shape) };
    this.#port.changed();
  }

  /** Looks at other axes or other indices of the tensor. */
  look(view: TensorView): void {
    const chosen = this.chosen.value;
    if (!chosen) return;
    this.chosen.value = { ...chosen, view };
    this.#port.changed();
  }

  /** Shows the heat map, or no longer. */
  showHeatMap(isShown: boolean): void {
    this.isHeatMap.value = isShown;
    this.#port.changed();
  }

  /** Shows one list, or groups. */
  showFlat(isFlat: boolean): void {
    this.isFlat.value = isFlat;
    this.#port.changed();
  }

  /** Opens or closes a group. */
  expand(id: string, isOpen: boolean): void {
    this.expanded.value = new Map(this.expanded.value).set(id, isOpen);
  }

  /** Reads all values of a tensor, unless that was done. */
  async readStatistics(tensor: number): Promise<void> {
    const known = this.statistics.value.get(tensor)?.state;
    if (known === "reading" || known === "ready") return;
    const abort = new AbortController();
    this.#setStatistics(tensor, { state: "reading", abort });
    const next = await this.#peer.request("tensor/statistics", { tensor }, abort.signal).then(
      (value): StatisticsState => ({ state: "ready", value }),
      (error): StatisticsState => ({ state: "failed", error: failureOf(error) }),
    );
    const now = this.statistics.value.get(tensor);
    if (now?.state !== "reading" || now.abort !== abort) return;
    this.#setStatistics(tensor, next.state === "failed" && next.error.code === "cancelled" ? undefined : next);
  }

  #setStatistics(tensor: number, state: StatisticsState | undefined): void {
    const next = new Map(this.statistics.value);
    if (state) next.set(tensor, state);
    else next.delete(tensor);
    this.statistics.value = next;
  }

  async #list(): Promise<void> {
    this.#listing?.abort();
    const listing = new AbortController();
    this.#listing = listing;
    this.failure.value = undefined;
    this.isComplete.value = false;
    let rows: readonly TensorRow[] = [];
    let shownMs = Number.NEGATIVE_INFINITY;
    try {
      for (;;) {
        const part = { start: rows.length, count: TENSOR_PART };
        const { tensors } = await this.#peer.request("content/tensors", part, listing.signal);
        rows = [...rows, ...tensors];
        const isLast = tensors.length === 0 || rows.length >= this.#port.total();
        const now = performance.now();
        if (isLast || now - shownMs > LIST_MS) {
          this.#take(rows, isLast);
          shownMs = now;
        }
        if (isLast) return;
      }
    } catch (error) {
      if (this.#listing === listing && !listing.signal.aborted) this.failure.value = failureOf(error);
    }
  }

  #take(rows: readonly TensorRow[], isLast: boolean): void {
    this.rows.value = rows;
    this.isComplete.value = isLast;
    const chosen = this.saved?.chosen;
    // What is alone needs no choice.
    if (!chosen && isLast && rows.length === 1 && this.lost.value === undefined) this.choose(0);
    if (!chosen) return;
    const isThere = rows[chosen.tensor]?.name === chosen.name;
    const tensor = isThere ? chosen.tensor : rows.findIndex(({ name }) => name === chosen.name);
    const row = rows[tensor];
    if (row) {
      this.#wanted = null;
      const isSame = fits(chosen.view, row.shape);
      this.chosen.value = { tensor, row, view: isSame ? chosen.view : firstView(row.shape) };
    } else if (isLast) {
      this.#wanted = null;
      this.chosen.value = undefined;
      this.lost.value = chosen.name;
    }
  }

  #forget(): void {
    this.#listing?.abort();
    this.#listing = undefined;
    for (const one of this.statistics.value.values()) if (one.state === "reading") one.abort.abort();
    this.statistics.value = new Map();
  }
}

/** The last two axes, at the first index of all others. */
export function firstView(shape: readonly number[]): TensorView {
  const rank = shape.length;
  const fixed = shape.map(() => 0);
  if (rank === 0) return { rowAxis: null, columnAxis: null, fixed };
  return rank === 1 ? { rowAxis: 0, columnAxis: null, fixed } : { rowAxis: rank - 2, columnAxis: rank - 1, fixed };
}

/** Whether a view is one of a tensor of this shape. */
function fits({ rowAxis, columnAxis, fixed }: TensorView, shape: readonly number[]): boolean {
  const first = firstView(shape);
  if ((rowAxis === null) !== (first.rowAxis === null) || (columnAxis === null) !== (first.columnAxis === null)) {
    return false;
  }
  const isAxis = (axis: number | null): boolean => axis === null || axis < shape.length;
  const isInside = fixed.length === shape.length && fixed.every((index, axis) => index < Math.max(1, shape[axis] ?? 0));
  return isAxis(rowAxis) && isAxis(columnAxis) && (rowAxis === null || rowAxis !== columnAxis) && isInside;
}
