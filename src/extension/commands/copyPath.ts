import { layoutOf, nameFolder } from "../../store/layout";
import type { Target } from "../ids";
import type { Services } from "../services";
import { manyFolders } from "../targets";
import type { TreeNode } from "../tree/treeModel";

/** Copies the folder of everything chosen, one a line. */
export async function copyPath(services: Services, target?: Target, selected?: readonly TreeNode[]): Promise<void> {
  const single = !selected || selected.length < 2;
  if (single && typeof target === "object" && "kind" in target) {
    const { home } = services.stores.of(target);
    if (target.kind === "root") return services.ui.copy(home);
    if (target.kind === "name") return services.ui.copy(nameFolder(layoutOf(home), target.name));
  }
  const folders = await manyFolders(services, target, selected, services.t("Copy the path of which models?"));
  if (folders.length > 0) await services.ui.copy(folders.map((folder) => folder.path).join("\n"));
}
