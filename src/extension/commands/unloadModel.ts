import type { PickItem, RunningModel, Services } from "../services";
import { storeDetail } from "../targets";

/** Asks which of the loaded models to end the process of; what was typed and the history stay. */
export async function unloadModel({ pages, stores, t, ui }: Services): Promise<void> {
  const loaded = await pages.loaded();
  if (loaded.length === 0) {
    await ui.inform(t("No model is loaded."));
    return;
  }
  const items: PickItem<readonly RunningModel[]>[] = loaded.map((model) => ({
    label: model.ref.tag,
    ...(model.busy ? { description: t("running: its run is stopped") } : {}),
    ...storeDetail(stores, model.ref.store),
    value: [model],
  }));
  if (loaded.length > 1) items.push({ label: t("Unload All"), value: loaded });
  const chosen = await ui.pick(t("Unload which model?"), items);
  if (chosen) await pages.unload(chosen.map(({ ref }) => ref));
}
