import type { Services } from "../services";
import type { TrashNode } from "../tree/trashRow";
import { restoreEntries, undoDelete } from "./undoDelete";

/** Brings versions back from the trash and shows one of them; asks which when none was given. */
export async function restoreFromTrash(
  services: Services,
  target?: TrashNode,
  selected?: readonly TrashNode[],
): Promise<void> {
  const chosen = selected?.length ? selected : target ? [target] : [];
  if (chosen.length === 0) return undoDelete(services);
  await restoreEntries(services, chosen);
}
