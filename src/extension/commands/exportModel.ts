import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { humanSize } from "../../base/humanSize";
import type { JobOptions } from "../../base/ports";
import { type ExportRequest, type ExportResult, exportModelJob } from "../../store/archive/archiveJobs";
import type { Target } from "../ids";
import type { ModelRef, PickItem, Services } from "../services";
import { folderTag, manyFolders, oneModel, rowsOf } from "../targets";
import type { TreeNode } from "../tree/treeModel";
import { forEachUnderProgress, oneFailure } from "./several";

type Format = NonNullable<ExportRequest["format"]>;

/** A way to write a model. */
interface Shape {
  readonly format: Format;
  readonly compression?: "stored" | "small";
}

/** One model on its way out. */
interface Item {
  readonly ref: ModelRef;
  readonly destination: string;
  /** What is there under that name goes once the new one is whole; the user agreed. */
  readonly replaces: boolean;
  readonly bytes: number;
}

/** What a chosen file name says about the format, longest ending first. */
const ENDINGS: readonly (readonly [string, Format])[] = [
  [".bentomodel", "bentomodel"],
  [".tar.gz", "tar.gz"],
  [".tar.xz", "tar.xz"],
  [".tar.bz2", "tar.bz2"],
  [".tgz", "tar.gz"],
  [".tar", "tar"],
  [".zip", "zip"],
];

/** Writes versions as archives or folders that BentoML imports: what as, where to, copy. */
export async function exportModel(services: Services, target?: Target, selected?: readonly TreeNode[]): Promise<void> {
  const { t, ui } = services;
  const refs = await chosenModels(services, target, selected);
  const [first] = refs;
  if (!first) return;
  const what = refs.length === 1 ? first.tag : t("{0} models", refs.length);
  const shape = await ui.pick(t("Export {0} as", what), shapes(t));
  if (!shape) return;
  const alone = refs.length === 1 && shape.format !== "folder";
  const items = alone ? await oneFile(services, first, shape) : await intoFolder(services, refs, shape, what);
  if (!items?.length) return;
  await exportAll(services, items, shape, what);
}

async function chosenModels(
  services: Services,
  target: Target,
  selected?: readonly TreeNode[],
): Promise<readonly ModelRef[]> {
  const { t } = services;
  if (rowsOf(services, target, selected).length < 2) {
    const model = await oneModel(services, target, t("Export which model?"));
    return model ? [model] : [];
  }
  const folders = await manyFolders(services, target, selected, t("Export which model?"));
  return folders
    .filter(({ sizeBytes }) => sizeBytes !== undefined)
    .map((folder) => ({ store: folder.store, tag: folderTag(folder) }));
}

function shapes(t: Services["t"]): PickItem<Shape>[] {
  return [
    {
      label: t("BentoML model"),
      description: ".bentomodel",
      detail: t("not compressed: as fast as a copy, and as large"),
      value: { format: "bentomodel" },
    },
    {
      label: t("BentoML model, small"),
      description: ".bentomodel",
      detail: t("weights become about 15 % smaller; takes about seven minutes a gigabyte"),
      value: { format: "bentomodel", compression: "small" },
    },
    { label: t("Tar archive"), description: ".tar", detail: t("not compressed"), value: { format: "tar" } },
    {
      label: t("Tar archive, gzip"),
      description: ".tar.gz",
      detail: t("compressed where that saves something"),
      value: { format: "tar.gz" },
    },
    { label: t("Tar archive, xz"), description: ".tar.xz", detail: t("not compressed"), value: { format: "tar.xz" } },
    {
      label: t("Tar archive, bzip2"),
      description: ".tar.bz2",
      detail: t("always compressed; takes about six minutes a gigabyte"),
      value: { format: "tar.bz2" },
    },
    {
      label: t("Zip archive"),
      description: ".zip",
      detail: t("compressed where that saves something"),
      value: { format: "zip" },
    },
    { label: t("Folder"), detail: t("the files as they are, with model.yaml"), value: { format: "folder" } },
  ];
}

/** Asks for the file; its ending decides when it names another format. */
async function oneFile(services: Services, ref: ModelRef, shape: Shape): Promise<Item[] | undefined> {
  const { t, ui } = services;
  const ending = endingOf(shape.format);
  const chosen = await ui.pickTarget({
    title: t("Export {0}", ref.tag),
    action: t("Export"),
    fileName: `${fileStem(ref)}${ending}`,
    // The first filter is the dialog's choice, and may lend its ending to a name without one.
    filters: { [ending.slice(1)]: [ending.slice(1)], [t("Model archives")]: ENDINGS.map(([each]) => each.slice(1)) },
  });
  if (chosen === undefined) return undefined;
  const destination = formatOf(chosen) === undefined ? `${chosen}${ending}` : chosen;
  const isThere = existsSync(destination);
  // The dialog has asked about the name it was given, not about the one with our ending.
  if (isThere && destination !== chosen && !(await mayReplace(services, [destination]))) return undefined;
  return [{ ref, destination, replaces: isThere, bytes: bytesOf(services, ref) }];
}

/** Asks for a folder, and about the names in it that are taken. */
async function intoFolder(
  services: Services,
  refs: readonly ModelRef[],
  { format }: Shape,
  what: string,
): Promise<Item[] | undefined> {
  const { t, ui } = services;
  const folder = await ui.pickFolder({ title: t("Export {0} into which folder?", what), action: t("Export Here") });
  if (folder === undefined) return undefined;
  const items = refs.map((ref) => {
    const destination = join(folder, `${fileStem(ref)}${endingOf(format)}`);
    return { ref, destination, replaces: existsSync(destination), bytes: bytesOf(services, ref) };
  });
  const taken = items.filter(({ replaces }) => replaces).map(({ destination }) => destination);
  // Nobody knows what else is in a folder: one that is there is never replaced.
  if (taken.length > 0 && format === "folder") throw folderTaken(t, taken);
  return taken.length === 0 || (await mayReplace(services, taken)) ? items : undefined;
}

function folderTaken(t: Services["t"], [first = ""]: readonly string[]): ModelbenchError {
  return new ModelbenchError("file.access", t("{0} is there already and is not overwritten.", first), {
    path: first,
    remedy: t("Choose another folder, or remove that one first."),
  });
}

async function mayReplace({ t, ui }: Services, taken: readonly string[]): Promise<boolean> {
  const [first = ""] = taken;
  const what = taken.length === 1 ? t("Replace {0}?", basename(first)) : t("Replace {0} files?", taken.length);
  return ui.confirm(what, t("Replace"), taken.join("\n"));
}

async function exportAll(services: Services, items: readonly Item[], shape: Shape, what: string): Promise<void> {
  const { log, t, ui } = services;
  const outcome = await forEachUnderProgress(services, t("Exporting {0}", what), items, (item, options) =>
    exportOne(services, item, shape, options),
  );
  for (const { item, error } of outcome.failed) log.error(`Exporting ${item.ref.tag} failed`, error);
  const failure = oneFailure(t, outcome, "{0} of {1} models were not exported: {2}");
  if (failure) throw failure;
  const [first] = outcome.done;
  if (!first) return;
  const size = humanSize(outcome.done.reduce((sum, { result }) => sum + result.bytes, 0));
  const { path } = first.result;
  const place = items.length === 1 ? path : dirname(path);
  const message =
    items.length === 1
      ? t("{0} exported to {1} ({2}).", what, path, size)
      : t("{0} of {1} models exported to {2} ({3}).", outcome.done.length, items.length, place, size);
  const copy = t("Copy Path");
  const reveal = t("Reveal in File Manager");
  const pressed = await ui.offer(message, ui.canRevealInOs ? [reveal, copy] : [copy]);
  if (pressed === copy) await ui.copy(place);
  if (pressed === reveal) await ui.revealInOs(path);
}

/** A file that is to be replaced is there, whole, until the new one is. */
async function exportOne(
  { jobs, stores }: Services,
  { ref, destination, replaces }: Item,
  shape: Shape,
  options: JobOptions,
): Promise<ExportResult> {
  const { home } = stores.of(ref);
  const format = formatOf(destination) ?? shape.format;
  const { compression } = shape;
  const how = { format, ...(compression === undefined || format !== shape.format ? {} : { compression }) };
  const input = { home, tag: ref.tag, ...how };
  if (!replaces) return jobs.run(exportModelJob, { ...input, destination }, options);
  const beside = join(dirname(destination), `.modelbench-${randomUUID()}${endingOf(format)}`);
  try {
    const result = await jobs.run(exportModelJob, { ...input, destination: beside }, options);
    await rename(result.path, destination);
    return { ...result, path: destination };
  } finally {
    await rm(beside, { force: true });
  }
}

function formatOf(path: string): Format | undefined {
  return ENDINGS.find(([ending]) => path.toLowerCase().endsWith(ending))?.[1];
}

function endingOf(format: Format): string {
  return ENDINGS.find(([, named]) => named === format)?.[0] ?? "";
}

function fileStem({ tag }: ModelRef): string {
  return tag.replace(":", "-");
}

function bytesOf({ catalog }: Services, ref: ModelRef): number {
  return catalog.find(ref)?.sizeBytes ?? 0;
}
