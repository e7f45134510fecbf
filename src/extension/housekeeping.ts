import type { Log } from "../base/log";
import type { Disposable } from "../base/scope";
import type { ModelStore } from "../store/modelStore";
import type { Catalog } from "./catalog";

/** Long after the window has settled. */
const DELAY_MS = 15_000;

/**
 * Clears a store away once it has been looked at: what dead processes left unfinished, and what has been in the trash
 * for longer than it is kept. A store that nobody looks at is not touched.
 */
export function keepTidy(catalog: Catalog, ownStore: () => ModelStore, log: Log): Disposable {
  const tidied = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  const tidy = async (store: ModelStore): Promise<void> => {
    try {
      await store.sweepStaging();
      await store.purgeTrash();
    } catch (error) {
      log.error(`Clearing up ${store.home} failed`, error);
    }
  };
  const subscription = catalog.onDidChange(({ store: id }) => {
    const store = ownStore();
    if (id !== "own" || tidied.has(store.home) || catalog.snapshot("own")?.phase !== "ready") return;
    tidied.add(store.home);
    timers.add(setTimeout(() => void tidy(store), DELAY_MS).unref());
  });
  return {
    dispose() {
      subscription.dispose();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
