import { basename } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { formatTag, parseTag } from "../../store/tag";
import type { FileArgument, Target } from "../ids";
import type { ComparedThing, ModelRef, Services } from "../services";
import { oneModel } from "../targets";
import { sortedVersions, type TreeNode } from "../tree/treeModel";

/** A row of the tree, a version, or a file of the Explorer. */
export type CompareArgument = Target | FileArgument;

/** Remembers a version or file, to compare another one with it. */
export async function selectForCompare(services: Services, target?: CompareArgument): Promise<void> {
  const thing = await thingOf(services, target, services.t("Compare which model?"));
  if (thing) await services.compared.select(thing);
}

/** Compares a version or file with the one that was selected before. */
export async function compareWithSelected(services: Services, target?: CompareArgument): Promise<void> {
  const { compared, pages, t } = services;
  const { selected } = compared;
  if (!selected) {
    throw new ModelbenchError("usage", t("Nothing is selected for compare."), {
      remedy: t("Choose Select Model for Compare on a version or a model file first."),
    });
  }
  const thing = await thingOf(services, target, t("Compare which model with {0}?", nameOf(selected)));
  if (thing) await pages.openComparison(selected, thing);
}

/** Compares a version with the one of its name that was saved before it. */
export async function compareWithPrevious(services: Services, target?: Target): Promise<void> {
  const { catalog, pages, t } = services;
  const model = await oneModel(services, target, t("Compare which model with its previous version?"));
  if (!model) return;
  const { name } = parseTag(model.tag);
  await catalog.details(model.store, name);
  const versions = sortedVersions(catalog.snapshot(model.store)?.names.get(name)?.models ?? [], "created");
  const at = versions.findIndex(({ tag }) => formatTag(tag) === model.tag);
  const previous = at < 0 ? undefined : versions[at + 1];
  if (!previous) throw new ModelbenchError("model.notFound", t("{0} has no version before it.", model.tag));
  await pages.openComparison({ store: model.store, tag: formatTag(previous.tag) }, model);
}

/** Compares the two versions or files that are selected. */
export async function compareSelected(
  services: Services,
  target?: CompareArgument,
  selected?: readonly (TreeNode | FileArgument)[],
): Promise<void> {
  const { pages, t, tree } = services;
  const chosen = (selected?.length ? selected : target === "selection" ? tree.selection : []).map(pointedAt);
  const [a, b] = chosen;
  if (chosen.length !== 2 || !a || !b) {
    throw new ModelbenchError("usage", t("Select two versions or two model files to compare."));
  }
  const isReversed = savedMs(services, a) > savedMs(services, b);
  await pages.openComparison(isReversed ? b : a, isReversed ? a : b);
}

/** When a version was saved; the older one of two is A. */
function savedMs({ catalog }: Services, thing: ComparedThing): number {
  return "path" in thing ? 0 : (catalog.find(thing)?.creationMs ?? 0);
}

/** The version or file behind an argument; a name stands for its newest version. */
async function thingOf(services: Services, target: CompareArgument, title: string): Promise<ComparedThing | undefined> {
  if (typeof target === "object" && "fsPath" in target) return { path: target.fsPath };
  return oneModel(services, target, title);
}

function pointedAt(item: TreeNode | ModelRef | FileArgument): ComparedThing | undefined {
  if ("fsPath" in item) return { path: item.fsPath };
  return "tag" in item ? { store: item.store, tag: item.tag } : undefined;
}

function nameOf(thing: ComparedThing): string {
  return "path" in thing ? basename(thing.path) : thing.tag;
}
