import { basename, dirname } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";
import type { MadeObject, ObjectSource, SavedAs } from "../../runner/objectSaver";
import type { FileArgument } from "../ids";
import type { ModelRef, OpenStore, SaveFormInitial, SaveFormValues, Services } from "../services";
import { suggestedName } from "../suggestedName";
import { storeForNew } from "../targets";
import { importedPackages, topLevelNames } from "../topLevelNames";
import { tagCheck } from "./saveModel";
import { chooseObject, FRAMEWORKS, type ObjectChoice } from "./saveObjectChoice";

/**
 * Saves an object of the user's own Python code: which one, consent to run the file, then the form of every save with
 * what was made. What is not saved in the end is gone.
 */
export async function saveObject(services: Services, file?: FileArgument): Promise<void> {
  const { project, t, trust } = services;
  if (!trust.isTrusted) {
    throw new ModelbenchError(
      "trust.required",
      t("Saving an object runs its file, which Restricted Mode does not do."),
    );
  }
  const source = await project.read(file?.fsPath);
  if (!source)
    throw new ModelbenchError("usage", t("Open a Python file, saved on this machine, to save an object of it."));
  const target = await storeForNew(services, t("Save into which store?"));
  if (!target) return;
  const imported = importedPackages(source.text);
  const choice = await chooseObject(services, {
    file: source.path,
    names: topLevelNames(source.text, source.line),
    adapter: guessed(imported),
  });
  const made = choice && (await make(services, target, choice));
  if (made) await keep(services, target, choice, made);
}

/** What the file imports tells what is probably saved from it; the object's own class decides in the end. */
function guessed(imported: ReadonlySet<string>): SavedAs {
  const fitting = FRAMEWORKS.filter(({ imports }) => imports !== undefined && imported.has(imports));
  const [only, ...more] = fitting;
  return only !== undefined && more.length === 0 ? only.adapter : "auto";
}

async function make(services: Services, target: OpenStore, choice: ObjectChoice): Promise<MadeObject | undefined> {
  const { project, python, t, ui } = services;
  const { adapter, source, dataFiles } = choice;
  const needs = FRAMEWORKS.find((one) => one.adapter === adapter)?.needs ?? [];
  const { paths, preload, view } = await python.find(needs);
  const { interpreter, problem } = view;
  if (interpreter === null) {
    const said = problem?.message ?? t("There is no Python interpreter.");
    throw new ModelbenchError("python.missing", said, { remedy: problem?.remedy ?? undefined });
  }
  const workingFolder = project.folderOf(source.file) ?? dirname(source.file);
  const run = t("Run and Save");
  const allowed = await ui.decide(t("Run {0} in Your Python?", visible(basename(source.file))), detailOf(), [run]);
  if (allowed === undefined) return undefined;
  const request = { home: target.store.home, adapter, source, dataFiles };
  return ui.progress(t("Running {0}", basename(source.file)), (signal) =>
    project.make({ ...request, python: { interpreter, paths, preload, workingFolder } }, signal),
  );

  function detailOf(): string {
    const lacking = view.lacking.join(", ");
    return [
      t("File: {0}", shown(source.file)),
      t("Object: {0}", shown(source.target)),
      t("Interpreter: {0}", shown(`${interpreter} (${view.by})`)),
      t("Folder it runs in: {0}", shown(workingFolder)),
      ...(lacking === "" ? [] : [t("It lacks {0}: {1}", lacking, shown(view.command))]),
      ...(paths.length === 0 ? [] : [t("It may import modules from {0}", paths.map(shown).join(", "))]),
      "",
      t("The whole file runs, with everything that you can do. What stands below if __name__ == … does not."),
    ].join("\n");
  }
}

/** A line of the question: none of them may look like another one. */
function shown(text: string): string {
  return visible(text, 1_000);
}

/** The form, as often as its name turns out to be taken; without an answer nothing stays. */
async function keep(services: Services, target: OpenStore, { source, partialKwargs }: ObjectChoice, made: MadeObject) {
  const { catalog, pages, t, tree, ui } = services;
  let isSaved = false;
  try {
    let values: SaveFormValues | undefined = firstValues(source, made);
    for (;;) {
      values = await pages.openSaveForm(formOf(services, target, made, values));
      if (!values) return;
      const entered = { ...values, partialKwargs };
      const saved = await ui
        .progress(t("Saving {0}", values.name), (signal, report) => made.save(entered, { signal, onProgress: report }))
        .catch((error: unknown) => {
          if (!(error instanceof ModelbenchError) || error.code !== "model.exists") throw error;
          ui.showFailure(error.message, error.remedy);
          return undefined;
        });
      if (!saved) continue;
      isSaved = true;
      catalog.recheck();
      const model: ModelRef = { store: target.id, tag: saved.tag };
      await tree.reveal(model);
      if (await ui.inform(t("{0} saved.", saved.tag), t("Test"))) await pages.openTest(model);
      return;
    }
  } finally {
    if (!isSaved) await made.discard();
  }
}

function firstValues({ file, target }: ObjectSource, { drafted, methods }: MadeObject): SaveFormValues {
  const attribute = /^(?:[\w.]+:)?([A-Za-z_]\w*)$/.exec(target)?.[1];
  const { module, signatures } = drafted.draft;
  return {
    module,
    name: suggestedName(attribute ?? basename(file)),
    version: undefined,
    labels: {},
    metadata: {},
    signatures: callable(signatures, methods),
  };
}

/** Most methods that a form proposes for an object that has not the usual one. */
const PROPOSED = 8;

/** The framework's usual methods as far as the object has them, else its own. */
function callable(usual: SaveFormValues["signatures"], methods: readonly string[]): SaveFormValues["signatures"] {
  const there = Object.entries(usual).filter(([name]) => methods.includes(name));
  if (there.length > 0 || methods.length === 0) return there.length > 0 ? Object.fromEntries(there) : usual;
  const own = methods.slice(0, PROPOSED).map((name) => [name, { batchable: false, batchDim: [0, 0] }] as const);
  return Object.fromEntries(own);
}

function formOf(services: Services, { store }: OpenStore, made: MadeObject, values: SaveFormValues): SaveFormInitial {
  const { described, files, modules } = made.drafted;
  const initial: SaveFormInitial = {
    files: files.map(({ from }) => from),
    modules,
    redraft: async () => initial,
    described,
    values,
    check: (name, version) => tagCheck(services, store, name, version),
  };
  return initial;
}
