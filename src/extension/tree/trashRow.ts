import { humanSize } from "../../base/humanSize";
import { localTime } from "../../base/localTime";
import { visible } from "../../base/visible";
import type { TrashEntry } from "../../store/model";
import { formatTag } from "../../store/tag";
import type { Localize, StoreId } from "../services";
import type { Row } from "./treeRow";
import { longAge, markdownText } from "./words";

/** A deleted version in the trash view. */
export interface TrashNode {
  readonly kind: "trashed";
  readonly store: StoreId;
  readonly entry: TrashEntry;
  /** How long that store keeps what was deleted, milliseconds. */
  readonly keptMs: number;
}

const DAY_MS = 24 * 3600 * 1000;

/** What a deleted version was called: its tag, or the folder's own name where that was none. */
export function trashTag({ tag }: TrashEntry): string {
  return tag.version === "" ? tag.name : formatTag(tag);
}

/** How a deleted version looks. @param storeLabel says which store it is from, where several are open */
export function trashRow(
  { entry, keptMs, store }: TrashNode,
  { t, nowMs, storeLabel }: { readonly t: Localize; readonly nowMs: number; readonly storeLabel: string | undefined },
): Row {
  const tag = visible(trashTag(entry));
  const size = entry.bytes === undefined ? t("size unknown") : humanSize(entry.bytes);
  const left = timeLeft(t, entry.deletedMs + keptMs - nowMs);
  const from = storeLabel === undefined ? [] : [visible(storeLabel)];
  const deleted = t("deleted {0}", longAge(t, entry.deletedMs, nowMs));
  return {
    id: `${store} ${entry.id}`,
    label: tag,
    description: [left, size, ...from].join(" · "),
    tooltip: () =>
      [
        `**${markdownText(tag)}**`,
        markdownText(t("Deleted: {0} ({1})", localTime(entry.deletedMs), longAge(t, entry.deletedMs, nowMs))),
        markdownText(t("Size: {0}", size)),
        markdownText(t("Removed for good: {0}", localTime(entry.deletedMs + keptMs))),
        ...(entry.wasLatest ? [markdownText(t("It was the latest version."))] : []),
        ...from.map(markdownText),
      ].join("  \n"),
    contextValue: "trash",
    icon: "trash",
    warns: false,
    expandable: false,
    spoken: [tag, deleted, size, left, ...from].join(", "),
  };
}

/** Rounded up, so that the last day is told as one. */
function timeLeft(t: Localize, leftMs: number): string {
  const days = Math.ceil(leftMs / DAY_MS);
  if (days <= 0) return t("goes soon");
  return days === 1 ? t("1 day left") : t("{0} days left", days);
}
