import { readdirSync } from "node:fs";
import { Emitter } from "../base/events";
import type { Jobs } from "../base/ports";
import type { Disposable } from "../base/scope";
import { layoutOf } from "../store/layout";
import { listTrashJob } from "../store/trashJobs";
import { keptMsOf } from "../store/trashKept";
import type { Catalog } from "./catalog";
import type { StoreId, Stores } from "./services";
import type { TrashNode } from "./tree/trashRow";

/** Tells whenever something comes to a folder or goes from it. */
export type WatchFolder = (path: string, onChange: () => void) => Disposable;

/**
 * The trash of the open stores. A store is looked at, and watched, once its models have been; whether there is
 * anything costs one look at a folder, what it is is asked of the jobs process.
 */
export class TrashBin implements Disposable {
  readonly #stores: Pick<Stores, "all">;
  readonly #jobs: Jobs;
  readonly #watchFolder: WatchFolder;
  readonly #changed = new Emitter<void>();
  readonly #watches = new Map<StoreId, Disposable & { readonly home: string }>();
  readonly #owned: Disposable[];

  /** Something was deleted, restored or removed, or another store is open. */
  readonly onDidChange = this.#changed.event;

  constructor(parts: {
    readonly catalog: Pick<Catalog, "onDidChange" | "snapshot">;
    readonly stores: Pick<Stores, "all">;
    readonly jobs: Jobs;
    readonly watchFolder: WatchFolder;
  }) {
    this.#stores = parts.stores;
    this.#jobs = parts.jobs;
    this.#watchFolder = parts.watchFolder;
    this.#owned = [
      this.#changed,
      parts.catalog.onDidChange(({ names, store }) => {
        if (names === "all" && parts.catalog.snapshot(store)?.phase !== "loading") this.#follow();
      }),
    ];
  }

  /** Whether any of the stores looked at has something in its trash. */
  get isEmpty(): boolean {
    return [...this.#watches.values()].every(({ home }) => isEmptyFolder(layoutOf(home).trash));
  }

  /** What can be brought back, the one deleted last first. */
  async list(): Promise<TrashNode[]> {
    const open = this.#stores.all.filter(({ id }) => this.#watches.has(id));
    const lists = open.map(async ({ id, store }) => {
      const layout = layoutOf(store.home);
      if (isEmptyFolder(layout.trash)) return [];
      const keptMs = keptMsOf(layout);
      const entries = await this.#jobs.run(listTrashJob, { home: store.home });
      return entries.map((entry): TrashNode => ({ kind: "trashed", store: id, entry, keptMs }));
    });
    return (await Promise.all(lists)).flat().sort((a, b) => b.entry.deletedMs - a.entry.deletedMs);
  }

  dispose(): void {
    for (const thing of [...this.#watches.values(), ...this.#owned]) thing.dispose();
    this.#watches.clear();
  }

  #follow(): void {
    const homes = new Map(this.#stores.all.map(({ id, store }) => [id, store.home]));
    for (const [id, watch] of [...this.#watches]) {
      if (homes.get(id) === watch.home) continue;
      watch.dispose();
      this.#watches.delete(id);
    }
    for (const [id, home] of homes) {
      if (this.#watches.has(id)) continue;
      const { dispose } = bound(this.#watchFolder(layoutOf(home).trash, () => this.#changed.fire()));
      this.#watches.set(id, { home, dispose });
    }
    this.#changed.fire();
  }
}

function bound(thing: Disposable): Disposable {
  return { dispose: () => thing.dispose() };
}

function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return true;
  }
}
