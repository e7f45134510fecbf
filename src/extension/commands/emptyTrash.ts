import { humanSize } from "../../base/humanSize";
import { visible } from "../../base/visible";
import { emptyTrashJob } from "../../store/trashJobs";
import type { Services } from "../services";
import { trashTag } from "../tree/trashRow";
import { type Trashed, trashOf } from "./undoDelete";

/** Most lines that name a version in the question; the rest is counted. */
const NAMED_AT_MOST = 12;

/** Removes for good what is in the trash of the open stores, after one question. */
export async function emptyTrash(services: Services): Promise<void> {
  const { jobs, t, ui } = services;
  const trashed = await trashOf(services);
  if (trashed.length === 0) {
    await ui.inform(t("The trash is empty."));
    return;
  }
  const size = humanSize(trashed.reduce((sum, { entry }) => sum + (entry.bytes ?? 0), 0));
  const what =
    trashed.length === 1
      ? t("Remove the only version in the trash for good ({0})?", size)
      : t("Remove {0} versions in the trash for good ({1})?", trashed.length, size);
  if (!(await ui.confirm(what, t("Empty Trash"), details(services, trashed)))) return;
  for (const home of new Set(trashed.map((one) => one.home))) {
    // Only what was named: something may have been deleted since, and a store be in another place.
    const ids = trashed.filter((one) => one.home === home).map(({ entry }) => entry.id);
    await jobs.run(emptyTrashJob, { home, ids });
  }
}

function details({ t }: Services, trashed: readonly Trashed[]): string {
  const lines = trashed.slice(0, NAMED_AT_MOST).map(({ entry }) => {
    const size = entry.bytes === undefined ? t("size unknown") : humanSize(entry.bytes);
    return `${visible(trashTag(entry))} (${size})`;
  });
  if (trashed.length > NAMED_AT_MOST) lines.push(t("and {0} more", trashed.length - NAMED_AT_MOST));
  const forGood =
    trashed.length === 1 ? t("It cannot be brought back after that.") : t("They cannot be brought back after that.");
  return [...lines, forGood].join("\n");
}
