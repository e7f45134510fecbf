import { humanSize } from "../../base/humanSize";
import { visible } from "../../base/visible";
import { listBentosJob } from "../../store/bentos";
import { planCleanUp } from "../../store/cleanUp";
import { layoutOf, tagOfFolder } from "../../store/layout";
import type { ModelSummary } from "../../store/model";
import { pinnedTags } from "../../store/pins";
import { formatTag, parseTag } from "../../store/tag";
import type { Target } from "../ids";
import type { ModelRef, ReviewItem, Services, StoreId } from "../services";
import { manyFolders, rowsOf, storeForNew } from "../targets";
import type { TreeNode } from "../tree/treeModel";
import { versionDescription } from "../tree/treeRow";
import { moveAllToTrash, type VersionFolder } from "./moveToTrash";

const DAY_MS = 24 * 3600 * 1000;

/** What the user asked for; a side that is left out decides nothing. */
interface Rule {
  readonly keep?: number;
  readonly olderThanMs?: number;
}

/** The models in question. */
interface Extent {
  readonly store: StoreId;
  /** Folders of the versions that may go; `undefined` = all of the store. */
  readonly paths: ReadonlySet<string> | undefined;
}

/**
 * Tidies a store: asks how many versions of each model to keep and how old the others must be, lists exactly what
 * would go and what is kept though it is old, and moves what stays ticked to the trash. Pinned and latest versions and
 * those of bentos never go.
 */
export async function cleanUp(services: Services, target?: Target, selected?: readonly TreeNode[]): Promise<void> {
  const { t, ui } = services;
  const extent = await extentOf(services, target, selected);
  if (!extent) return;
  const rule = await askRule(services);
  if (!rule) return;
  const { planned, kept } = await plan(services, extent, rule);
  if (planned.length === 0) {
    await ui.inform(
      t(
        "There is nothing to clean up: no version fits the rule. Pinned and latest versions and those that bentos use are kept.",
      ),
    );
    return;
  }
  const chosen = await ui.review({
    title: (ticked) => titleOf(t, ticked),
    hint: t("Enter moves what is ticked to the trash."),
    unavailable: t("Kept"),
    items: () => [
      ...planned.map((summary) => itemOf(services, summary)),
      ...kept.map(({ summary, why }) => ({ ...itemOf(services, summary), detail: why, picked: false, disabled: true })),
    ],
  });
  if (!chosen?.length) return;
  const folders = chosen.map((summary) => folderOf(extent.store, summary));
  await moveAllToTrash(services, folders, chosen.length === 1 ? t("1 version") : t("{0} versions", chosen.length));
}

/**
 * What stands below the rows, and of a version's row all versions of its name; without rows the whole store. Rows of
 * another store than the first are left out.
 */
async function extentOf(
  services: Services,
  target: Target,
  selected?: readonly TreeNode[],
): Promise<Extent | undefined> {
  const { t } = services;
  const rows = rowsOf(services, target, selected);
  const [first] = rows;
  if (!first) {
    const open = await storeForNew(services, t("Clean up which store?"));
    return open && { store: open.id, paths: undefined };
  }
  const { store } = first;
  const here = rows.filter((row) => row.store === store);
  if (here.some((row) => "kind" in row && row.kind === "root")) return { store, paths: undefined };
  const nodes = here.length === 1 && "tag" in first ? [nameOf(first)] : here;
  const folders = await Promise.all(nodes.map((node) => manyFolders(services, node, undefined, "")));
  return { store, paths: new Set(folders.flat().map(({ path }) => path)) };
}

function nameOf({ store, tag }: ModelRef): TreeNode {
  return { kind: "name", store, name: parseTag(tag).name };
}

async function askRule({ t, ui }: Services): Promise<Rule | undefined> {
  const newest = t("Keep how many of the newest versions of each model? (1/3)");
  const keep = await askNumber(t, ui, newest, {
    counts: [3, 5, 10, 1],
    text: (count) => (count === 1 ? t("The newest one") : t("The {0} newest", count)),
    none: t("None but the latest"),
    prompt: t("Number of versions of each model to keep"),
  });
  if (keep === undefined) return undefined;
  const old = t("Of the others, clean up those that are how old? (2/3)");
  const days = await askNumber(t, ui, old, {
    counts: [30, 7, 90, 365],
    text: (count) => t("Older than {0} days", count),
    none: t("Any age"),
    prompt: t("Age in days"),
  });
  if (days === undefined) return undefined;
  return { ...(keep === "none" ? {} : { keep }), ...(days === "none" ? {} : { olderThanMs: days * DAY_MS }) };
}

async function askNumber(
  t: Services["t"],
  ui: Services["ui"],
  title: string,
  words: { counts: readonly number[]; text(count: number): string; none: string; prompt: string },
): Promise<number | "none" | undefined> {
  const items = words.counts.map((value) => ({ label: words.text(value), value }));
  const answer = await ui.pick<number | "none" | "other">(title, [
    ...items,
    { label: words.none, value: "none" },
    { label: t("Another Number…"), value: "other" },
  ]);
  if (answer !== "other") return answer;
  const check = (text: string): string | undefined =>
    /^[1-9]\d{0,5}$/.test(text.trim()) ? undefined : t("A whole number from 1 on is expected.");
  const typed = await ui.input({ title, prompt: words.prompt, value: String(words.counts[0] ?? 1), check });
  return typed === undefined ? undefined : Number(typed.trim());
}

/** What goes, and what would go if nobody had pinned or used it, with the reason. */
interface Plan {
  readonly planned: readonly ModelSummary[];
  readonly kept: readonly { readonly summary: ModelSummary; readonly why: string }[];
}

async function plan({ catalog, jobs, stores, t }: Services, extent: Extent, rule: Rule): Promise<Plan> {
  const { home } = stores.of(extent);
  const [snapshot, bentos] = await Promise.all([catalog.ready(extent.store), jobs.run(listBentosJob, { home })]);
  const models = [...(snapshot?.names.values() ?? [])].flatMap((entry) => entry.models);
  const used = new Map(Object.entries(bentos));
  const pinned = pinnedTags(layoutOf(home));
  const old = { ...rule, nowMs: Date.now() };
  const here = ({ path }: ModelSummary): boolean => extent.paths?.has(path) ?? true;
  const planned = planCleanUp(models, { ...old, pinned, used }).filter(here);
  const goes = new Set(planned);
  const kept = planCleanUp(models, { ...old, pinned: new Set(), used: new Map() })
    .filter((summary) => here(summary) && !goes.has(summary))
    .map((summary) => ({ summary, why: reasonToKeep(t, summary, used) }));
  return { planned, kept };
}

/** A file that names another tag than its folder is kept under either. */
function reasonToKeep(t: Services["t"], { path, tag }: ModelSummary, used: ReadonlyMap<string, string[]>): string {
  const bentos = [formatTag(tag), formatTag(tagOfFolder(path))].flatMap((known) => used.get(known) ?? []);
  return bentos.length === 0 ? t("pinned") : t("used by {0}", visible([...new Set(bentos)].join(", ")));
}

function titleOf(t: Services["t"], ticked: readonly ModelSummary[]): string {
  const size = humanSize(ticked.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  return ticked.length === 1
    ? t("Move 1 version to the trash, {0} (3/3)", size)
    : t("Move {0} versions to the trash, {1} (3/3)", ticked.length, size);
}

function itemOf({ t }: Services, summary: ModelSummary): ReviewItem<ModelSummary> {
  return {
    label: formatTag(summary.tag),
    description: versionDescription(summary, t, Date.now()),
    picked: true,
    value: summary,
  };
}

function folderOf(store: StoreId, { path, sizeBytes, tag }: ModelSummary): VersionFolder {
  return { store, ...tag, path, sizeBytes };
}
