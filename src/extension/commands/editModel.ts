import type { Target } from "../ids";
import type { PageEdit, Services } from "../services";
import { oneModel } from "../targets";

/** Opens the details of a version with its labels ready to be edited. */
export function editLabels(services: Services, target?: Target): Promise<void> {
  return edit(services, target, "labels", services.t("Edit the labels of which model?"));
}

/** Opens the details of a version with its metadata ready to be edited. */
export function editMetadata(services: Services, target?: Target): Promise<void> {
  return edit(services, target, "metadata", services.t("Edit the metadata of which model?"));
}

/** Opens the details of a version with its signatures ready to be edited. */
export function editSignatures(services: Services, target?: Target): Promise<void> {
  return edit(services, target, "signatures", services.t("Edit the signatures of which model?"));
}

async function edit(services: Services, target: Target, part: PageEdit, title: string): Promise<void> {
  const model = await oneModel(services, target, title);
  if (model) await services.pages.openDetails(model, { edit: part });
}
