import { pinModelJob } from "../../store/pins";
import type { Target } from "../ids";
import type { Services } from "../services";
import { manyFolders } from "../targets";
import type { TreeNode } from "../tree/treeModel";

/** Pins versions: they come first in their list, and no clean-up takes them. */
export async function pin(services: Services, target?: Target, selected?: readonly TreeNode[]): Promise<void> {
  await setPins(services, target, selected, true);
}

/** Takes pins off. */
export async function unpin(services: Services, target?: Target, selected?: readonly TreeNode[]): Promise<void> {
  await setPins(services, target, selected, false);
}

async function setPins(
  services: Services,
  target: Target,
  selected: readonly TreeNode[] | undefined,
  pinned: boolean,
): Promise<void> {
  const { jobs, pages, stores, t, tree } = services;
  const title = pinned ? t("Pin which models?") : t("Unpin which models?");
  const folders = await manyFolders(services, target, selected, title);
  try {
    for (const { store, name, version } of folders) {
      if (version === undefined) continue;
      await jobs.run(pinModelJob, { home: stores.of({ store }).home, tag: { name, version }, pinned });
    }
  } finally {
    tree.pinsChanged();
    await pages.refresh();
  }
}
