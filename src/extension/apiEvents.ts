import type { ModelbenchApi } from "../../api";
import type { ModelRef, Services } from "./services";

/** How long a call waits for the listing to show what it did. */
const SHOWN_WAIT_MS = 3_000;

/**
 * Waits until the listing shows what a call did, so that the caller's next look sees it too; not for a store that
 * nobody has looked at, and not for ever.
 */
export async function untilListed(
  catalog: Services["catalog"],
  refs: readonly ModelRef[],
  wanted: "there" | "gone",
): Promise<void> {
  const isShown = (): boolean =>
    refs.every((ref) => {
      const isLooked = catalog.snapshot(ref.store)?.phase === "ready";
      return !isLooked || (catalog.find(ref) !== undefined) === (wanted === "there");
    });
  catalog.recheck();
  if (isShown()) return;
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      subscription.dispose();
      resolve();
    };
    const timer = setTimeout(finish, SHOWN_WAIT_MS);
    const subscription = catalog.onDidChange(() => isShown() && finish());
  });
}

/**
 * The event of the API: stores are read, and followed, from the first listener on. A listener that throws is logged
 * and keeps nobody else from hearing.
 */
export function modelsEvent({
  catalog,
  log,
  stores,
}: Pick<Services, "catalog" | "log" | "stores">): ModelbenchApi["onDidChangeModels"] {
  const follow = (): void => {
    for (const { id } of stores.all) void catalog.ready(id);
  };
  return (listener, thisArgs, disposables) => {
    const opened = stores.onDidChange(follow);
    const changed = catalog.onDidChange(({ store, names }) => {
      try {
        listener.call(thisArgs, { store, names });
      } catch (error) {
        log.error("A listener of another extension failed", error);
      }
    });
    follow();
    const subscription = {
      dispose(): void {
        opened.dispose();
        changed.dispose();
      },
    };
    disposables?.push(subscription);
    return subscription;
  };
}
