import type { LoadedTarget, Target } from "../ids";
import type { ModelRef, Services } from "../services";
import { oneModel } from "../targets";
import type { LoadedNode } from "../tree/loadedRow";
import { loadedRefs, pickLoaded } from "./unloadModel";

/** Loads a model without running it, so that its first run need not wait, and shows it among the loaded ones. */
export async function loadModel(services: Services, target?: Target | LoadedNode): Promise<void> {
  const { loaded, pages, t, ui } = services;
  // The button of the view hands over the row that is selected, which is not what is to be loaded.
  const isRow = typeof target === "object" && "kind" in target && target.kind === "loaded";
  const model = await oneModel(services, isRow ? undefined : target, t("Load which model?"));
  if (!model || !(await pages.allow(model))) return;
  await ui.progress(t("Loading {0}", model.tag), (signal) => pages.load(model, signal));
  await loaded.reveal(model);
}

/** Ends the processes of loaded models and loads them anew; asks which when none was given. */
export async function restartModel(
  services: Services,
  target?: LoadedTarget,
  selected?: readonly LoadedNode[],
): Promise<void> {
  const { t } = services;
  const refs = loadedRefs(services, target, selected) ?? (await pickLoaded(services, t("Restart which model?"), false));
  for (const ref of refs) await restart(services, ref);
}

async function restart({ pages, t, ui }: Services, ref: ModelRef): Promise<void> {
  if (!(await pages.allow(ref))) return;
  await ui.progress(t("Restarting {0}", ref.tag), (signal) => pages.restart(ref, signal));
}
