import { ModelbenchError } from "../../base/errors";
import { describeModelJob } from "../../frameworks/modelFacts";
import type { Target } from "../ids";
import type { Services } from "../services";
import { oneModel } from "../targets";

/** Opens the test of a model, or says why this model cannot be tested here. */
export async function testModel(services: Services, target?: Target): Promise<void> {
  const { catalog, jobs, pages, stores, t, trust, ui } = services;
  const model = await oneModel(services, target, t("Test which model?"));
  if (!model) return;
  const { home } = stores.of(model);
  const { module } = catalog.find(model) ?? (await jobs.run(describeModelJob, { home, tag: model.tag }));
  const refusal = trust.refusal(module, model.store);
  if (!refusal) return pages.openTest(model);
  if (refusal.code !== "run.unsupported") {
    throw new ModelbenchError(refusal.code, `${model.tag}: ${refusal.reason}`, { remedy: refusal.remedy });
  }
  if (await ui.inform(`${model.tag} ${refusal.reason}.`, t("Open"))) await pages.openDetails(model);
}
