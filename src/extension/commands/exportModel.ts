import { ModelbenchError } from "../../base/errors";
import { humanSize } from "../../base/humanSize";
import { exportModelJob } from "../../store/archive/archiveJobs";
import type { Target } from "../ids";
import type { Services } from "../services";
import { oneModel } from "../targets";

/** What a chosen file name says about the format, longest ending first. */
const ENDINGS = [
  [".bentomodel", "bentomodel"],
  [".tar.gz", "tar.gz"],
  [".tgz", "tar.gz"],
  [".tar", "tar"],
] as const;

/** Writes a version as an archive that BentoML imports; the file's ending says in which format. */
export async function exportModel(services: Services, target?: Target): Promise<void> {
  const { jobs, stores, t, ui } = services;
  const model = await oneModel(services, target, t("Export which model?"));
  if (!model) return;
  const destination = await ui.pickTarget({
    title: t("Export {0}", model.tag),
    action: t("Export"),
    fileName: `${model.tag.replace(":", "-")}.bentomodel`,
    filters: { [t("BentoML model")]: ["bentomodel"], [t("Tar archive")]: ["tar", "tar.gz", "tgz"] },
  });
  if (destination === undefined) return;
  const { home } = stores.of(model);
  const input = { home, tag: model.tag, destination, format: formatOf(t, destination) };
  const done = await ui.progress(t("Exporting {0}", model.tag), (signal, report) =>
    jobs.run(exportModelJob, input, { signal, onProgress: report }),
  );
  const message = t("{0} exported to {1} ({2}).", model.tag, done.path, humanSize(done.bytes));
  if (await ui.inform(message, t("Copy Path"))) await ui.copy(done.path);
}

function formatOf(t: Services["t"], destination: string): (typeof ENDINGS)[number][1] {
  const found = ENDINGS.find(([ending]) => destination.toLowerCase().endsWith(ending));
  if (found) return found[1];
  throw new ModelbenchError("archive.format", t("{0}: the file's ending names no archive format.", destination), {
    path: destination,
    remedy: t("Use one of {0}.", ENDINGS.map(([ending]) => ending).join(", ")),
  });
}
