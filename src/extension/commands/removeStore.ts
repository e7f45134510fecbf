import type { Target } from "../ids";
import type { OpenStore, Services } from "../services";

/** Closes a further home; nothing on disk changes. */
export async function removeStore(services: Services, target?: Target): Promise<void> {
  const { storeSettings, stores, t, ui } = services;
  const homes = stores.all.filter(({ kind }) => kind === "home");
  const chosen =
    typeof target === "object" ? homes.find(({ id }) => id === target.store) : await pickHome(services, homes);
  if (!chosen) return;
  await storeSettings.remove(chosen.store.home);
  await ui.inform(t("{0} is not shown any more; its folder stays as it is.", chosen.label));
}

async function pickHome({ t, ui }: Services, homes: readonly OpenStore[]): Promise<OpenStore | undefined> {
  if (homes.length === 0) {
    await ui.inform(t("There is no further store; Add Store opens one."));
    return undefined;
  }
  const items = homes.map((value) => ({ label: value.label, description: value.store.home, value }));
  return ui.pick(t("Remove which store?"), items);
}
