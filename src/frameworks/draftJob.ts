import type { JobKey } from "../base/ports";
import { dumpPyYaml } from "../formats/pyYaml";
import type { MethodSignature } from "../formats/tensor";
import type { SaveModelInput } from "../store/saveModelJob";
import { inspectFile } from "./inspect";
import { draftFromFiles, fittingModules } from "./saveTable";

/** What a save starts from, as plain data: the framework's part of the draft and what the model file declares. */
export interface DraftedFiles {
  readonly draft: Omit<SaveModelInput["draft"], "name" | "version" | "labels">;
  readonly optionsYaml: string;
  readonly files: SaveModelInput["files"];
  /** The modules that fit the files, that of the draft among them. */
  readonly modules: readonly string[];
  /** Inputs and outputs by method. */
  readonly described: Readonly<Record<string, MethodSignature>>;
}

/** Drafts a model from source files, first the model file, then what belongs to it. */
export const draftFilesJob: JobKey<FilesToDraft, DraftedFiles> = { name: "model.draft" };

/** The files that are to become a model; without `module` the table of `fittingModules` decides. */
export interface FilesToDraft {
  readonly files: readonly string[];
  readonly module?: string;
}

/** The work behind `draftFilesJob`. @throws ModelbenchError as `draftFromFiles` and `inspectFile` */
export async function runDraftFiles({ files, module }: FilesToDraft): Promise<DraftedFiles> {
  const drafted = draftFromFiles(files, module);
  const { options, ...draft } = drafted.draft;
  const [main] = drafted.files;
  const described = draft.module === "bentoml.onnx" && main ? inspectFile(main.from).signatures : {};
  const modules = fittingModules(files);
  const fitting = modules.includes(draft.module) ? modules : [...modules, draft.module];
  return { draft, optionsYaml: dumpPyYaml(options), files: drafted.files, modules: fitting, described };
}
