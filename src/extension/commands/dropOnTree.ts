import { ModelbenchError } from "../../base/errors";
import { copyModelJob } from "../../store/copyModelJob";
import { parseTag } from "../../store/tag";
import type { ModelRef, Services, StoreId } from "../services";
import type { TreeDrop } from "../treeDrop";
import { importModel } from "./importModel";
import { saveModel } from "./saveModel";

/** Endings of files that are a model's weights, not an archive of one: they are saved through the form. */
const WEIGHTS = /\.onnx$/i;

/** Does what a drop on the tree means: archives and folders are imported, weights saved, versions copied. */
export async function dropOnTree(services: Services, drop: TreeDrop): Promise<void> {
  const { elsewhere, failure, models, paths, store } = drop;
  try {
    if (failure) throw failure;
    if (models.length > 0) return await copyTo(services, models, store);
    if (elsewhere > 0 && paths.length === 0) throw elsewhereFailure(services);
    const weights = paths.filter((path) => WEIGHTS.test(path));
    const archives = paths.filter((path) => !WEIGHTS.test(path));
    const where = store === undefined ? {} : { store };
    if (archives.length > 0) await importModel(services, { files: archives, ...where });
    for (const fsPath of weights) await saveModel(services, { fsPath, ...where });
  } finally {
    await drop.release();
  }
}

/** Copies versions into another store under their own tags; in the store they are in already nothing happens. */
async function copyTo(services: Services, models: readonly ModelRef[], store: StoreId | undefined): Promise<void> {
  const { catalog, jobs, stores, t, tree, ui } = services;
  const foreign = models.filter((model) => model.store !== store);
  const [first] = foreign;
  if (store === undefined || !first) return;
  const toHome = stores.of({ store }).home;
  const title = foreign.length === 1 ? t("Copying {0}", first.tag) : t("Copying {0} models", foreign.length);
  const copied: ModelRef[] = [];
  try {
    await ui.progress(title, async (signal, report) => {
      for (const model of foreign) {
        const { name, version = "" } = parseTag(model.tag);
        const input = { home: stores.of(model).home, from: { name, version }, to: model.tag, toHome };
        copied.push({ store, tag: (await jobs.run(copyModelJob, input, { signal, onProgress: report })).tag });
      }
    });
  } finally {
    catalog.recheck();
  }
  const last = copied.at(-1);
  if (last) await tree.reveal(last);
}

function elsewhereFailure({ t }: Services): ModelbenchError {
  return new ModelbenchError("usage", t("What was dropped is no file on the machine that the store is on."), {
    remedy: t("Drop files from the Explorer or from the system, or use Import Model…."),
  });
}
