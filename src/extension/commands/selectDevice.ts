import type { Target } from "../ids";
import type { PickItem, Services } from "../services";
import { oneModel } from "../targets";
import type { LoadedNode } from "../tree/loadedRow";

/** Chooses where a model is loaded, as its test does: a loaded one is loaded there by its next run. */
export async function selectDevice(services: Services, target?: Target | LoadedNode): Promise<void> {
  const { pages, t, ui } = services;
  const isRow = typeof target === "object" && "kind" in target && target.kind === "loaded";
  const title = t("Select the device of which model?");
  const model = isRow ? { store: target.store, tag: target.tag } : await oneModel(services, target, title);
  if (!model) return;
  const { device, devices } = await pages.engine(model);
  const [only, another] = devices;
  if (only !== undefined && another === undefined) {
    await ui.inform(t("{0} runs on one device only: {1}.", model.tag, only.text));
    return;
  }
  const items = devices.map(({ text, value }): PickItem<string> => {
    return { label: text, ...(value === device ? { description: t("chosen now"), picked: true } : {}), value };
  });
  const chosen = await ui.pick(t("Device of {0}", model.tag), items);
  if (chosen !== undefined && chosen !== device) await pages.chooseDevice(model, chosen);
}
