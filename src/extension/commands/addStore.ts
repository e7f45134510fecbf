import type { Services } from "../services";

/** Opens a further home beside the own store: a folder from the dialog, which need not be a store yet. */
export async function addStore({ storeSettings, t, tree, ui }: Services): Promise<void> {
  const home = await ui.pickFolder({ title: t("Add a store"), action: t("Add") });
  if (home === undefined) return;
  if (!(await storeSettings.add(home))) await ui.inform(t("{0} is open already.", home));
  else await tree.revealStore(`home:${home}`);
}
