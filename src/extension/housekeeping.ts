import type { Log } from "../base/log";
import type { Jobs } from "../base/ports";
import type { Disposable } from "../base/scope";
import { tidyStoreJob } from "../store/trashJobs";
import type { Catalog } from "./catalog";
import type { Settings } from "./services";
import type { StoreAccesses } from "./storeAccesses";

/** Long after the window has settled. */
const DELAY_MS = 15_000;
const DAY_MS = 24 * 3600 * 1000;

/**
 * Clears a store away once it has been looked at: what dead processes left unfinished, and what has been in the trash
 * for longer than it is kept. A store that nobody looks at, or that cannot be written, is not touched.
 */
export function keepTidy(
  catalog: Catalog,
  accesses: Pick<StoreAccesses, "of">,
  jobs: Jobs,
  settings: () => Pick<Settings, "trashDays">,
  log: Log,
): Disposable {
  const tidied = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  const tidy = (home: string): Promise<unknown> =>
    jobs
      .run(tidyStoreJob, { home, keptMs: settings().trashDays * DAY_MS })
      .catch((error) => log.error(`Clearing up ${home} failed`, error));
  const subscription = catalog.onDidChange(({ store: id }) => {
    const { home, phase } = catalog.snapshot(id) ?? {};
    if (home === undefined || tidied.has(home) || phase !== "ready") return;
    tidied.add(home);
    timers.add(setTimeout(() => accesses.of(id) !== "readOnly" && void tidy(home), DELAY_MS).unref());
  });
  return {
    dispose() {
      subscription.dispose();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
