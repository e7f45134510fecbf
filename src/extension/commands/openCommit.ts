import { ModelbenchError } from "../../base/errors";
import { describeModelJob } from "../../frameworks/modelFacts";
import type { Target } from "../ids";
import type { Services } from "../services";
import { oneModel } from "../targets";

/** Shows the commit that a model was made from; where the editor has no view for it, its hash goes to the clipboard. */
export async function openCommit(services: Services, target?: Target): Promise<void> {
  const { jobs, project, stores, t, ui } = services;
  const model = await oneModel(services, target, t("Open the commit of which model?"));
  if (!model) return;
  const { home } = stores.of(model);
  const { provenance } = await jobs.run(describeModelJob, { home, tag: model.tag });
  const git = provenance?.git;
  if (!git) throw new ModelbenchError("usage", t("No commit is noted of {0}.", model.tag));
  if (await project.openCommit(git.folder, git.commit)) return;
  await ui.copy(git.commit);
  await ui.inform(t("This window does not show commits of {0}. The hash is on the clipboard.", git.folder));
}
