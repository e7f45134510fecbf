import type { StoreSnapshot } from "../liveListing";
import type { Localize } from "../services";
import { hasRoots } from "./arrange";
import type { TreeContent } from "./treeContent";
import { type StoreFacts, shortPath, storeRemarks } from "./treeRow";

/** What the view says besides its rows. */
export interface ViewText {
  /** For the welcome texts: which of them there is to show, if there are no rows. */
  readonly state: string | undefined;
  /** Beside the title. */
  readonly description: string;
  /** Above the rows, empty = none; a view without rows shows its welcome text only without a message. */
  readonly message: string;
}

/** The filter with how much it leaves, what is still being read, and whose store it is. */
export function viewText(
  { arrangement, isReadingLabels }: Pick<TreeContent, "arrangement" | "isReadingLabels">,
  facts: {
    readonly own: StoreSnapshot | undefined;
    readonly filter: string;
    readonly t: Localize;
    readonly userHome: string;
    readonly store: StoreFacts | undefined;
  },
): ViewText {
  const { filter, own, store, t, userHome } = facts;
  const { all, pending, shown, state } = arrangement;
  const waits = pending > 0 && (filter !== "" || state.groupBy !== "name");
  const found = filter === "" || all === 0 ? [] : [t("{0}: {1} of {2} versions", filter, shown, all)];
  const reading = waits ? [t("{0} names still to be read", pending)] : [];
  const labels = isReadingLabels ? [t("reading labels…")] : [];
  const message = [...found, ...reading, ...labels].join(" · ");
  const place = [shortPath(own?.home ?? "", userHome), ...storeRemarks(store, t)].join(" · ");
  return {
    state: isEmpty(own) ? "empty" : own?.phase === "named" ? "ready" : own?.phase,
    // The roots say it for each store.
    description: hasRoots(state) ? "" : place,
    message,
  };
}

function isEmpty(own: StoreSnapshot | undefined): boolean {
  return own?.phase === "ready" && own.names.size === 0;
}
