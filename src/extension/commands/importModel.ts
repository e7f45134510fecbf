import { basename } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { humanSize } from "../../base/humanSize";
import { type ImportRequest, type ImportResult, importArchiveJob } from "../../store/archive/archiveJobs";
import type { TrashEntry } from "../../store/model";
import { formatTag, parseTag } from "../../store/tag";
import { deleteModelJob, listTrashJob, restoreModelJob } from "../../store/trashJobs";
import type { FileArgument, ImportArgument } from "../ids";
import type { OpenStore, Services } from "../services";
import { storeForNew, storeOf } from "../targets";
import { type Chosen, type Previews, previewAll, reviewImport, sourceOf } from "./importPreview";
import { unloadAmong } from "./moveToTrash";
import { forEachUnderProgress, type Outcome, oneFailure } from "./several";

/** Extensions the open dialog offers; the format itself is told from the content. */
export const ARCHIVES = ["bentomodel", "tar", "gz", "tgz", "xz", "bz2", "zip", "yaml"];

/** What was chosen, with the bytes it is counted by. */
type Item = Chosen & { readonly bytes: number };

/** What came in, with the entry of the trash that what it replaced became. */
type Imported = ImportResult & { readonly replaced?: string };

/** No entry's id: something was replaced, and nobody knows what it became. It came in all the same. */
const UNKNOWN = "";

/**
 * Brings archives and folders into a store: looks into all of them first and shows what would be imported, asks once
 * about those that are there already, imports each alone, and offers to undo it.
 */
export async function importModel(
  services: Services,
  from?: ImportArgument,
  selected?: readonly FileArgument[],
): Promise<void> {
  const { catalog, t } = services;
  const sources = await chosenSources(services, from, selected);
  if (!sources?.length) return;
  const given = from !== undefined && "store" in from ? from.store : undefined;
  const target =
    given === undefined ? await storeForNew(services, t("Import into which store?")) : storeOf(services, given);
  if (!target) return;
  const previews = await previewAll(services, target, sources);
  if (!previews) return;
  if (previews.candidates.length === 0) throw noneFailure(services, previews);
  const chosen = await reviewImport(services, target, previews);
  if (!chosen) return;
  const wanted = chosen.filter(({ choice }) => choice !== "skip");
  if (wanted.length === 0) {
    await services.ui.inform(t("Nothing was imported: what the store has is kept."));
    return;
  }
  try {
    await tell(services, target, await importAll(services, target, wanted));
  } finally {
    catalog.recheck();
  }
}

async function chosenSources(
  { t, ui }: Services,
  from: ImportArgument | undefined,
  selected?: readonly FileArgument[],
): Promise<readonly string[] | undefined> {
  if (from && "files" in from) return unique(from.files);
  if (from && "fsPath" in from) return unique((selected?.length ? selected : [from]).map(({ fsPath }) => fsPath));
  const filters = { [t("Model archives, and model.yaml for its folder")]: ARCHIVES, [t("All files")]: ["*"] };
  const chosen = await ui.pickFiles({ title: t("Import models"), action: t("Look Into"), many: true, filters });
  return chosen && unique(chosen);
}

function unique(paths: readonly string[]): string[] {
  return [...new Set(paths.map(sourceOf))];
}

async function importAll(
  services: Services,
  target: OpenStore,
  wanted: readonly Chosen[],
): Promise<Outcome<Item, Imported>> {
  const { jobs, log, settings, t } = services;
  const [first] = wanted;
  const what = wanted.length === 1 ? (first?.candidate.preview.tag ?? "") : t("{0} models", wanted.length);
  const replaced = wanted.filter(({ choice }) => choice === "replace");
  const refs = replaced.map(({ candidate: { preview } }) => ({ store: target.id, tag: preview.tag }));
  await unloadAmong(services, refs);
  const limits = settings().importLimits;
  const items = wanted.map((chosen) => ({ ...chosen, bytes: chosen.candidate.bytes }));
  return forEachUnderProgress(services, t("Importing {0}", what), items, async ({ candidate, choice }, options) => {
    const input: ImportRequest & { home: string } = {
      home: target.store.home,
      source: candidate.source,
      onConflict: choice ?? "fail",
      limits,
    };
    const result = await jobs.run(importArchiveJob, input, options);
    if (result.action !== "replaced") return result;
    // Now: by the time Undo is pressed the version that came in may have been replaced itself.
    const [entry] = await trashedAs(services, target, result.tag).catch((error: unknown) => {
      log.error(`What ${result.tag} replaced was not found in the trash`, error);
      return [];
    });
    return { ...result, replaced: entry?.id ?? UNKNOWN };
  });
}

/** One notification for all of it: a failure if there was one, else what came in. */
async function tell(services: Services, target: OpenStore, outcome: Outcome<Item, Imported>): Promise<void> {
  const { catalog, log, pages, t, tree, ui } = services;
  catalog.recheck();
  const last = outcome.done.at(-1)?.result.tag;
  if (last !== undefined) await tree.reveal({ store: target.id, tag: last });
  for (const { item, error } of outcome.failed) log.error(`Importing ${item.candidate.source} failed`, error);
  const failure = oneFailure(t, outcome, "{0} of {1} models were not imported: {2}");
  if (failure) throw failure;
  if (last === undefined) return;
  const open = t("Open");
  const undo = t("Undo");
  const pressed = await ui.offer(doneText(t, outcome), [open, undo]);
  if (pressed === open) await pages.openDetails({ store: target.id, tag: last });
  if (pressed === undo) await undoImport(services, target, outcome);
}

function doneText(t: Services["t"], { done, cancelled }: Outcome<Item, Imported>): string {
  const size = humanSize(done.reduce((sum, { result }) => sum + result.bytes, 0));
  const [first] = done;
  if (done.length !== 1 || !first) {
    return cancelled
      ? t("{0} models were imported before it was cancelled.", done.length)
      : t("{0} models imported ({1}).", done.length, size);
  }
  const { tag } = first.result;
  if (first.item.choice === "replace") return t("{0} imported ({1}); the one it replaces is in the trash.", tag, size);
  if (first.item.choice === "new-version") {
    return t("{0} imported as {1} ({2}).", first.item.candidate.preview.tag, tag, size);
  }
  return t("{0} imported ({1}).", tag, size);
}

/** Moves what came in to the trash, and what it replaced back. */
async function undoImport(services: Services, target: OpenStore, { done }: Outcome<Item, Imported>): Promise<void> {
  const { catalog, jobs, t, tree } = services;
  const { home } = target.store;
  let restored: string | undefined;
  try {
    for (const { result } of [...done].reverse()) {
      const { replaced, tag } = result;
      if (replaced !== undefined && !(await trashedAs(services, target, tag)).some(({ id }) => id === replaced))
        throw new ModelbenchError("trash.notFound", t("What {0} replaced is no longer in the trash.", tag));
      const { name, version = "" } = parseTag(tag);
      await unloadAmong(services, [{ store: target.id, tag }]);
      await jobs.run(deleteModelJob, { home, tag: { name, version } });
      if (replaced === undefined) continue;
      await jobs.run(restoreModelJob, { home, id: replaced });
      restored = tag;
    }
  } finally {
    catalog.recheck();
  }
  if (restored !== undefined) await tree.reveal({ store: target.id, tag: restored });
}

/** What was deleted under a tag, last first. */
async function trashedAs({ jobs }: Services, { store }: OpenStore, tag: string): Promise<readonly TrashEntry[]> {
  const entries = await jobs.run(listTrashJob, { home: store.home });
  return entries.filter((entry) => formatTag(entry.tag) === tag);
}

/** Nothing can be imported: the only one's reason as it is, else the first one's with how many there are. */
function noneFailure({ log, t }: Services, { refused }: Previews): unknown {
  for (const { source, error } of refused) log.error(`${basename(source)} cannot be imported`, error);
  const failed = refused.map(({ source, error }) => ({ item: source, error }));
  return oneFailure(t, { done: [], failed, cancelled: false }, "{0} of {1} models cannot be imported: {2}");
}
