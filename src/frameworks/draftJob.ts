import { dumpPyYaml } from "../formats/pyYaml";
import type { DraftedFiles, FilesToDraft } from "./draftedFiles";
import { inspectFile } from "./inspect";
import { draftFromFiles, fittingModules } from "./saveTable";

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
