import type { Target } from "../ids";
import type { Services } from "../services";
import { folderTag, manyFolders } from "../targets";
import type { TreeNode } from "../tree/treeModel";

/** Copies the tag of every chosen version, one a line; a name that stands alone is copied as a name. */
export async function copyTag(services: Services, target?: Target, selected?: readonly TreeNode[]): Promise<void> {
  const alone = soleName(services, target, selected);
  if (alone !== undefined) return services.ui.copy(alone);
  const folders = await manyFolders(services, target, selected, services.t("Copy the tag of which models?"));
  if (folders.length > 0) await services.ui.copy(folders.map(folderTag).join("\n"));
}

function soleName({ tree }: Services, target: Target, selected?: readonly TreeNode[]): string | undefined {
  const chosen = target === "selection" ? tree.selection : (selected ?? []);
  const node = chosen.length > 1 ? undefined : (chosen[0] ?? target);
  return typeof node === "object" && "kind" in node && node.kind === "name" ? node.name : undefined;
}
