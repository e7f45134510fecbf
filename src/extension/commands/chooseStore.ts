import { homedir } from "node:os";
import type { PickItem, Services } from "../services";
import { shortPath } from "../tree/treeRow";

/** What a line of the list does. */
type Choice = { readonly home: string | undefined } | "browse";

/** Makes a folder the own store, of this workspace if one is open: a home used before, or one from the dialog. */
export async function chooseStore(services: Services): Promise<void> {
  const { storeSettings, t, ui } = services;
  const items = choices(services);
  const chosen = items.length === 1 ? "browse" : await ui.pick(t("Choose the store folder"), items);
  if (chosen === undefined) return;
  if (chosen !== "browse") return storeSettings.choose(chosen.home);
  const home = await ui.pickFolder({ title: t("Choose the store folder"), action: t("Choose") });
  if (home !== undefined) await storeSettings.choose(home);
}

function choices({ stores, storeSettings, t }: Services): PickItem<Choice>[] {
  const recent = storeSettings.recent.filter((home) => home !== stores.own.home);
  return [
    { label: t("Browse…"), value: "browse" },
    ...recent.map((home) => ({ label: shortPath(home, homedir()), value: { home } })),
    ...(storeSettings.isChosen
      ? [{ label: t("What BentoML uses"), description: t("BENTOML_HOME, else ~/bentoml"), value: { home: undefined } }]
      : []),
  ];
}
