import type { LoadedTarget } from "../ids";
import type { RunningModel } from "../runningModel";
import type { ModelRef, PickItem, Services } from "../services";
import { storeDetail } from "../targets";
import type { LoadedNode } from "../tree/loadedRow";

/** Ends the processes of loaded models, of those asked for when none was given; what was typed and the history stay. */
export async function unloadModel(
  services: Services,
  target?: LoadedTarget,
  selected?: readonly LoadedNode[],
): Promise<void> {
  const refs =
    loadedRefs(services, target, selected) ?? (await pickLoaded(services, services.t("Unload which model?"), true));
  if (refs.length > 0) await services.pages.unload(refs);
}

/** Ends the processes of all models. */
export async function unloadAllModels({ pages, t, ui }: Services): Promise<void> {
  const loaded = await pages.loaded();
  if (loaded.length === 0) await ui.inform(t("No model is loaded."));
  else await pages.unload(loaded.map(({ ref }) => ref));
}

/** The loaded models that a command was called on; `undefined` when it was called on none. */
export function loadedRefs(
  { loaded }: Services,
  target: LoadedTarget,
  selected: readonly LoadedNode[] | undefined,
): readonly ModelRef[] | undefined {
  if (target === undefined) return undefined;
  const nodes = target === "selection" ? loaded.selection : selected?.length ? selected : [target];
  return nodes.map(({ store, tag }) => ({ store, tag }));
}

/** Asks for one of the loaded models, or for all of them; none when dismissed. */
export async function pickLoaded(
  { pages, stores, t, ui }: Services,
  title: string,
  orAll: boolean,
): Promise<readonly ModelRef[]> {
  const loaded = await pages.loaded();
  if (loaded.length === 0) {
    await ui.inform(t("No model is loaded."));
    return [];
  }
  const items: PickItem<readonly RunningModel[]>[] = loaded.map((model) => ({
    label: model.ref.tag,
    ...(model.busy ? { description: t("running: its run is stopped") } : {}),
    ...storeDetail(stores, model.ref.store),
    value: [model],
  }));
  if (orAll && loaded.length > 1) items.push({ label: t("Unload All"), value: loaded });
  const chosen = await ui.pick(title, items);
  return (chosen ?? []).map(({ ref }) => ref);
}
