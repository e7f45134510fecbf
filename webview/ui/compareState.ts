import { signal } from "@preact/signals";
import { COMPARE_PART, type CompareProgress, type ComparisonView, type DifferenceRow } from "../protocol/compare";
import type { PagePeer } from "../protocol/pagePeer";
import type { ErrorView } from "../protocol/views";
import { failureOf } from "./editState";
import type { Loadable } from "./pageState";

/** What the comparison is doing. */
export type CompareWork =
  | { readonly state: "running" }
  | { readonly state: "ready"; readonly value: ComparisonView }
  | { readonly state: "cancelled" }
  | { readonly state: "failed"; readonly error: ErrorView };

/** How far apart in units in the last place the values of a row are. */
export interface UlpCounts {
  readonly counts: readonly number[];
  readonly nan: number;
}

/** The comparison that the page shows. */
export class CompareState {
  readonly work = signal<CompareWork>({ state: "running" });
  readonly progress = signal<CompareProgress | undefined>(undefined);
  /** By number; those that are not there yet are asked for when they are drawn. */
  readonly rows = signal<ReadonlyMap<number, DifferenceRow>>(new Map());
  /** The row whose details are shown. */
  readonly chosen = signal(0);
  readonly ulps = signal<Loadable<UlpCounts> | undefined>(undefined);
  readonly #peer: PagePeer;
  readonly #asked = new Set<number>();
  #running: AbortController | undefined;

  constructor(peer: PagePeer) {
    this.#peer = peer;
  }

  /** Compares, or asks for what was found before the page was hidden. */
  async run(again = false): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#clear();
    this.work.value = { state: "running" };
    const next = await this.#peer.request("compare/run", { again }, running.signal).then(
      (value): CompareWork => ({ state: "ready", value }),
      (error): CompareWork => {
        const failure = failureOf(error);
        return failure.code === "cancelled" ? { state: "cancelled" } : { state: "failed", error: failure };
      },
    );
    if (this.#running !== running) return;
    this.#running = undefined;
    this.work.value = next;
  }

  /** Ends the work. */
  stop(): void {
    this.#running?.abort();
  }

  /** Asks for the part of the list that a row is in, once. */
  async need(row: number): Promise<void> {
    const start = Math.floor(row / COMPARE_PART) * COMPARE_PART;
    if (this.#asked.has(start)) return;
    this.#asked.add(start);
    const asked = this.work.value;
    const answer = await this.#peer.request("compare/rows", { start, count: COMPARE_PART }).catch(() => undefined);
    if (!answer || this.work.value !== asked) return;
    this.rows.value = new Map([...this.rows.value, ...answer.rows.map((found, i) => [start + i, found] as const)]);
  }

  /** Shows the details of a row. */
  choose(row: number): void {
    if (row === this.chosen.value) return;
    this.chosen.value = row;
    this.ulps.value = undefined;
  }

  /** Counts units in the last place of the chosen row. */
  async count(): Promise<void> {
    const row = this.chosen.value;
    this.ulps.value = { state: "loading" };
    const next = await this.#peer.request("compare/ulps", { row }).then(
      (value): Loadable<UlpCounts> => ({ state: "ready", value }),
      (error): Loadable<UlpCounts> => ({ state: "failed", error: failureOf(error) }),
    );
    if (this.chosen.value === row && this.ulps.value?.state === "loading") this.ulps.value = next;
  }

  #clear(): void {
    this.#asked.clear();
    this.progress.value = undefined;
    this.rows.value = new Map();
    this.chosen.value = 0;
    this.ulps.value = undefined;
  }
}
