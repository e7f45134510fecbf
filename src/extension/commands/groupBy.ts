import type { GroupBy, PickItem, Services } from "../services";

/** Asks what the versions in the tree are put under; the label's key is asked for next. */
export async function groupBy(services: Services): Promise<void> {
  const { settings, t, tree, ui } = services;
  const now = settings().groupBy;
  const kinds: readonly (readonly [GroupBy | "label", string])[] = [
    ["name", t("Name")],
    ["framework", t("Framework")],
    ["label", t("Label…")],
    ["none", t("Nothing: one flat list")],
  ];
  const items = kinds.map(([value, label]) => ({ label, ...markOf(services, value, now), value }));
  const chosen = await ui.pick(t("Group models by"), items);
  const groups = chosen === "label" ? await labelChosen(services, now) : chosen;
  if (groups === undefined || groups === now) return;
  await tree.show();
  await tree.groupBy(groups);
}

function markOf({ t }: Services, value: string, now: GroupBy): Pick<PickItem<unknown>, "description"> {
  if (value === now) return { description: t("now") };
  return value === "label" && now.startsWith("label:") ? { description: t("now {0}", now.slice(6)) } : {};
}

/** The keys that versions have, those of most versions first. */
async function labelChosen(services: Services, now: GroupBy): Promise<GroupBy | undefined> {
  const { catalog, t, ui } = services;
  const counts = new Map<string, number>();
  for (const store of catalog.stores) {
    for (const labels of (await catalog.labels(store)).values()) {
      for (const key of labels.keys()) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  if (counts.size === 0) {
    await ui.inform(t("No version has a label yet."));
    return undefined;
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const items = sorted.map(([label, count]): PickItem<GroupBy> => {
    const versions = count === 1 ? t("1 version") : t("{0} versions", count);
    const value = `label:${label}` as const;
    return { label, description: value === now ? `${versions}, ${t("now")}` : versions, value };
  });
  return ui.pick(t("Group by the values of which label?"), items);
}
