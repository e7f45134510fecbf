import type { Target } from "../ids";
import type { Services } from "../services";
import { oneModel } from "../targets";
import type { LoadedNode } from "../tree/loadedRow";

/** Opens the details of a model; those of a row among the loaded ones at its test. */
export async function openModel(services: Services, target?: Target | LoadedNode): Promise<void> {
  if (typeof target === "object" && "kind" in target && target.kind === "loaded") {
    await services.pages.openDetails({ store: target.store, tag: target.tag }, { section: "test" });
    return;
  }
  const model = await oneModel(services, target, services.t("Open which model?"));
  if (model) await services.pages.openDetails(model);
}
