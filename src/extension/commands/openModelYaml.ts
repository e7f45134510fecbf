import { join } from "node:path";
import { MODEL_YAML } from "../../store/layout";
import type { Target } from "../ids";
import type { Services } from "../services";
import { folderOf, oneModel } from "../targets";

/** Opens model.yaml as text: of a model, or of a folder whose model.yaml cannot be read as one. */
export async function openModelYaml(services: Services, target?: Target): Promise<void> {
  if (typeof target === "object" && "kind" in target && target.kind === "broken") {
    return services.ui.openText(join(target.item.path, MODEL_YAML));
  }
  const model = await oneModel(services, target, services.t("Open the model.yaml of which model?"));
  if (model) await services.ui.openText(join(folderOf(services, model).path, MODEL_YAML));
}
