import type { Target } from "../ids";
import type { Services } from "../services";
import { manyFolders } from "../targets";

/** Shows the folder of a model, or of a store, in the system's file manager. */
export async function revealInOs(services: Services, target?: Target): Promise<void> {
  if (typeof target === "object" && "kind" in target && target.kind === "root") {
    return services.ui.revealInOs(services.stores.of(target).home);
  }
  const [folder] = await manyFolders(services, target, undefined, services.t("Reveal which model?"));
  if (folder) await services.ui.revealInOs(folder.path);
}
