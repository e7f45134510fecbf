import { basename } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { importArchiveJob } from "../../store/archive/archiveJobs";
import type { FileArgument } from "../ids";
import type { OpenStore, Report, Services } from "../services";
import { storeForNew } from "../targets";

/** Extensions the open dialog offers; the format itself is told from the content. */
const ARCHIVES = ["bentomodel", "tar", "gz", "tgz"];

type OnConflict = "fail" | "skip" | "replace" | "new-version";

interface Outcome {
  readonly target: OpenStore;
  readonly tags: string[];
  readonly conflicts: string[];
  readonly failures: { readonly source: string; readonly error: unknown }[];
}

/**
 * Brings archives into the user's own store or another home, each alone. Those whose model is there already are asked about
 * together, once, when the others are in.
 */
export async function importModel(
  services: Services,
  file?: FileArgument,
  selected?: readonly FileArgument[],
): Promise<void> {
  const sources = await chosenSources(services, file, selected);
  if (!sources?.length) return;
  const target = await storeForNew(services, services.t("Import into which store?"));
  if (!target) return;
  const outcome: Outcome = { target, tags: [], conflicts: [], failures: [] };
  try {
    await importAll(services, sources, "fail", outcome);
    const onConflict = await askAboutConflicts(services, outcome.conflicts);
    if (onConflict) await importAll(services, outcome.conflicts.splice(0), onConflict, outcome);
  } finally {
    services.catalog.recheck();
  }
  await tell(services, outcome, sources.length);
}

async function chosenSources(
  { t, ui }: Services,
  file?: FileArgument,
  selected?: readonly FileArgument[],
): Promise<readonly string[] | undefined> {
  if (file) return (selected?.length ? selected : [file]).map((uri) => uri.fsPath);
  const filters = { [t("Model archives")]: ARCHIVES, [t("All files")]: ["*"] };
  return ui.pickFiles({ title: t("Import models from archives"), action: t("Import"), many: true, filters });
}

async function importAll(
  services: Services,
  sources: readonly string[],
  onConflict: OnConflict,
  outcome: Outcome,
): Promise<void> {
  const { t, ui } = services;
  const [only = ""] = sources;
  const title = sources.length === 1 ? t("Importing {0}", basename(only)) : t("Importing {0} archives", sources.length);
  await ui.progress(title, async (signal, report) => {
    for (const source of sources) await importOne(services, source, onConflict, outcome, signal, report);
  });
}

async function importOne(
  { jobs, settings }: Services,
  source: string,
  onConflict: OnConflict,
  outcome: Outcome,
  signal: AbortSignal,
  report: Report,
): Promise<void> {
  try {
    const input = { home: outcome.target.store.home, source, onConflict, limits: settings().importLimits };
    const { action, tag } = await jobs.run(importArchiveJob, input, { signal, onProgress: report });
    if (action !== "skipped") outcome.tags.push(tag);
  } catch (error) {
    const code = error instanceof ModelbenchError ? error.code : undefined;
    if (code === "cancelled") throw error;
    if (code === "model.exists") outcome.conflicts.push(source);
    else outcome.failures.push({ source, error });
  }
}

async function askAboutConflicts({ t, ui }: Services, conflicts: readonly string[]): Promise<OnConflict | undefined> {
  const [first] = conflicts;
  if (first === undefined) return undefined;
  const what =
    conflicts.length === 1
      ? t("The model in {0} is in the store already", basename(first))
      : t("The models in {0} archives are in the store already", conflicts.length);
  return ui.pick<OnConflict>(what, [
    { label: t("Skip"), description: t("keep what is there"), value: "skip" },
    { label: t("Replace"), description: t("what is there goes to the trash"), value: "replace" },
    { label: t("New Version"), description: t("import beside it under a new version"), value: "new-version" },
  ]);
}

/** One notification for all of it: a failure if there was one, else what came in. */
async function tell(services: Services, { target, tags, failures }: Outcome, all: number): Promise<void> {
  const { log, pages, t, tree, ui } = services;
  const last = tags.at(-1);
  if (last !== undefined) await tree.reveal({ store: target.id, tag: last });
  const [failure] = failures;
  if (failure) {
    for (const { source, error } of failures) log.error(`Importing ${source} failed`, error);
    if (failures.length === 1 && tags.length === 0) throw failure.error;
    const message = failure.error instanceof Error ? failure.error.message : String(failure.error);
    throw new ModelbenchError(
      "archive.corrupt",
      t("{0} of {1} archives were not imported: {2}", failures.length, all, message),
      {
        path: failure.source,
        cause: failure.error,
      },
    );
  }
  if (last === undefined) return;
  const what = tags.length === 1 ? last : t("{0} models", tags.length);
  if (await ui.inform(t("{0} imported.", what), t("Open"))) await pages.openDetails({ store: target.id, tag: last });
}
