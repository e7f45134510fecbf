import { Emitter, type Event } from "../../base/events";
import type { Disposable } from "../../base/scope";
import type { RunningModel } from "../runningModel";
import { type LoadedNode, type LoadedRowContext, loadedRow } from "./loadedRow";

/** What memory and time left are looked at again after, while somebody can see them. */
const SAMPLE_MS = 3_000;

/** Models that become busy and ready many times a second are drawn a few times. */
const GATHER_MS = 150;

/** What the list is made from. */
export interface LoadedListPort {
  loaded(): Promise<readonly RunningModel[]>;
  /** Fires when that answer changed. */
  readonly onDidChangeLoaded: Event<void>;
  /** Resident bytes of processes with everything they started; those it cannot tell are left out. */
  memory(pids: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** What a row is drawn with. */
  context(): LoadedRowContext;
}

/**
 * The rows of the loaded models. Processes are measured while the rows can be seen and there is one, and never
 * otherwise: without a loaded model, or with the view hidden, no timer runs.
 */
export class LoadedList implements Disposable {
  readonly #port: LoadedListPort;
  readonly #changed = new Emitter<void>();
  readonly #subscription: Disposable;
  #models: readonly RunningModel[] = [];
  #bytes: ReadonlyMap<number, number> = new Map();
  /** Which processes were measured last, and when. */
  #asked: readonly number[] = [];
  #askedAtMs = 0;
  #isSeen = false;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  /** Counts the looks: an older one that ends later is left out. */
  #looks = 0;
  #rows: readonly LoadedNode[] = [];
  #text = "[]";

  /** Fires when a row is another one than before. */
  readonly onDidChange = this.#changed.event;

  constructor(port: LoadedListPort) {
    this.#port = port;
    this.#subscription = port.onDidChangeLoaded(() => {
      this.#soon ??= setTimeout(() => void this.look(), GATHER_MS).unref();
    });
  }

  /** The rows as they were seen last. */
  get rows(): readonly LoadedNode[] {
    return this.#rows;
  }

  /** Tells whether the rows can be seen. */
  setSeen(isSeen: boolean): void {
    if (isSeen === this.#isSeen) return;
    this.#isSeen = isSeen;
    clearTimeout(this.#timer);
    if (isSeen) void this.look();
  }

  /** Reads the models anew, and their memory when somebody can see it and it is not known well enough. */
  async look(): Promise<void> {
    this.#looks += 1;
    const turn = this.#looks;
    clearTimeout(this.#soon);
    clearTimeout(this.#timer);
    this.#soon = undefined;
    const models = await this.#port.loaded();
    if (turn !== this.#looks) return;
    // A row stays where it is whichever model is used.
    this.#models = [...models].sort((a, b) => compare(a.ref.tag, b.ref.tag) || compare(a.ref.store, b.ref.store));
    this.#draw();
    const pids = models.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    if (!this.#isSeen || pids.length === 0) return;
    if (this.#isStale(pids)) await this.#measure(pids);
    if (turn !== this.#looks || !this.#isSeen) return;
    this.#draw();
    this.#timer = setTimeout(() => void this.look(), SAMPLE_MS).unref();
  }

  dispose(): void {
    this.#looks += 1;
    this.#isSeen = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#soon);
    this.#subscription.dispose();
    this.#changed.dispose();
  }

  #isStale(pids: readonly number[]): boolean {
    return Date.now() - this.#askedAtMs >= SAMPLE_MS || pids.some((pid) => !this.#asked.includes(pid));
  }

  async #measure(pids: readonly number[]): Promise<void> {
    this.#asked = pids;
    this.#askedAtMs = Date.now();
    this.#bytes = await this.#port.memory(pids);
  }

  #draw(): void {
    const context = this.#port.context();
    this.#rows = this.#models.map((model) => {
      const bytes = model.pid === undefined ? undefined : this.#bytes.get(model.pid);
      return { kind: "loaded", ...model.ref, row: loadedRow({ ...model, bytes }, context) };
    });
    const text = JSON.stringify(this.#rows.map(({ row }) => row));
    if (text === this.#text) return;
    this.#text = text;
    this.#changed.fire();
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
