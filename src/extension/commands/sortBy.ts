import type { Services, SortBy } from "../services";

/** Asks for the order of the tree; the present one comes first. */
export async function sortBy({ settings, t, tree, ui }: Services): Promise<void> {
  const labels: Record<SortBy, string> = { created: t("Newest first"), name: t("Name"), size: t("Largest first") };
  const now = settings().sortBy;
  const orders: SortBy[] = [now, ...(["created", "name", "size"] as const).filter((order) => order !== now)];
  const items = orders.map((order) => ({
    label: labels[order],
    ...(order === now ? { description: t("now") } : {}),
    value: order,
  }));
  const chosen = await ui.pick(t("Sort models by"), items);
  if (chosen === undefined || chosen === now) return;
  await tree.show();
  await tree.sortBy(chosen);
}
