import type { Target } from "../ids";
import type { Services } from "../services";
import { oneModel } from "../targets";

/** Opens the details of a model. */
export async function openModel(services: Services, target?: Target): Promise<void> {
  const model = await oneModel(services, target, services.t("Open which model?"));
  if (model) await services.pages.openDetails(model);
}
