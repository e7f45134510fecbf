import { existsSync } from "node:fs";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type ErrorCode, ModelbenchError } from "../../base/errors";
import { dumpPyYaml } from "../../formats/pyYaml";
import { yamlFromJson } from "../../formats/yamlFromJson";
import { type DraftedFiles, draftFilesJob } from "../../frameworks/draftedFiles";
import { saveModelJob } from "../../store/saveModelJob";
import { makeTag } from "../../store/tag";
import type { FileArgument } from "../ids";
import type { HostStore, ModelRef, OpenStore, SaveFormInitial, SaveFormValues, Services, StoreId } from "../services";
import { suggestedName } from "../suggestedName";
import { storeForNew, storeOf } from "../targets";

/** Saves a model file as a new version in the user's own store or another home: file, form, copy. */
export async function saveModel(services: Services, file?: FileArgument & { readonly store?: StoreId }): Promise<void> {
  const { catalog, pages, t, tree, ui } = services;
  const source = file?.fsPath ?? (await chosenFile(services));
  if (source === undefined) return;
  const target = file?.store ? storeOf(services, file.store) : await storeForNew(services, t("Save into which store?"));
  if (!target) return;
  const tag = await fillInAndSave(services, target, source);
  if (tag === undefined) return;
  catalog.recheck();
  const model: ModelRef = { store: target.id, tag };
  await tree.reveal(model);
  if (await ui.inform(t("{0} saved.", tag), t("Test"))) await pages.openTest(model);
}

/** What another try may overcome: another window took the version, or the file is being written. */
const MAY_PASS: ReadonlySet<string> = new Set<ErrorCode>(["model.exists", "format.corrupt", "format.mismatch"]);

/** Shows the form until what it says is saved, and answers with its tag; `undefined` when it was closed. */
async function fillInAndSave(services: Services, { store }: OpenStore, source: string): Promise<string | undefined> {
  const { jobs, pages, t, ui } = services;
  const drafts = new Map<string, DraftedFiles>();
  const draft = async (module?: string): Promise<SaveFormInitial> => {
    const drafted = await jobs.run(draftFilesJob, { files: [source], ...(module !== undefined && { module }) });
    drafts.set(drafted.draft.module, drafted);
    return formOf(services, store, source, drafted, draft);
  };
  for (let initial = await draft(); ; ) {
    const values = await pages.openSaveForm(initial);
    const drafted = values && drafts.get(values.module);
    if (!drafted) return undefined;
    // Whatever keeps it from being saved, nothing of it is typed again.
    initial = { ...formOf(services, store, source, drafted, draft), values };
    try {
      const now = await draft(values.module);
      if (isDeepStrictEqual(drafts.get(values.module), drafted)) return await save(services, store, drafted, values);
      initial = { ...now, values: { ...values, signatures: now.values.signatures } };
      const message = t("{0} is another model than when the form opened.", basename(source));
      ui.showFailure(message, t("Look at its methods, and save it."));
    } catch (error) {
      if (!(error instanceof ModelbenchError) || !MAY_PASS.has(error.code)) throw error;
      ui.showFailure(error.message, error.remedy);
    }
  }
}

async function save(
  { jobs, t, ui }: Services,
  { home }: HostStore,
  drafted: DraftedFiles,
  values: SaveFormValues,
): Promise<string> {
  const input = { ...inputOf(drafted, values), home };
  const { tag } = await ui.progress(t("Saving {0}", values.name), (signal, report) =>
    jobs.run(saveModelJob, input, { signal, onProgress: report }),
  );
  return tag;
}

/** Extensions that the open dialog offers; what a file becomes is told from its content too. */
const SAVED_EXTENSIONS = ["onnx", "safetensors", "msgpack", "pkl", "pickle", "joblib", "npy", "npz", "pt", "pth"];

async function chosenFile({ t, ui }: Services): Promise<string | undefined> {
  const filters = { [t("Model files")]: SAVED_EXTENSIONS, [t("All files")]: ["*"] };
  const chosen = await ui.pickFiles({ title: t("Save a model file"), action: t("Continue"), many: false, filters });
  return chosen?.[0];
}

function formOf(
  services: Services,
  store: HostStore,
  source: string,
  { described, draft, files, modules }: DraftedFiles,
  redraft: SaveFormInitial["redraft"],
): SaveFormInitial {
  return {
    files: files.map(({ from }) => from),
    modules,
    redraft,
    described,
    values: {
      module: draft.module,
      name: suggestedName(basename(source)),
      version: undefined,
      labels: {},
      metadata: {},
      signatures: draft.signatures,
    },
    check: (name, version) => tagCheck(services, store, name, version),
  };
}

/** Why a name and version cannot be used for a new model of a store; `undefined` when they can. */
export function tagCheck({ t }: Services, store: HostStore, name: string, version: string | undefined) {
  try {
    const tag = makeTag(name, version ?? "new");
    if (version === undefined) return undefined;
    return existsSync(store.pathOf(tag)) ? t("{0}:{1} is in the store already.", tag.name, tag.version) : undefined;
  } catch (error) {
    if (error instanceof ModelbenchError) return error.message;
    throw error;
  }
}

function inputOf(drafted: DraftedFiles, { labels, metadata, name, signatures, version }: SaveFormValues) {
  const entries = Object.entries(metadata).map(([key, json]) => [key, yamlFromJson(json)] as const);
  return {
    draft: { ...drafted.draft, name, version, labels, signatures },
    metadataYaml: dumpPyYaml(new Map(entries)),
    optionsYaml: drafted.optionsYaml,
    files: drafted.files,
  };
}
