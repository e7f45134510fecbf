import type { JobKey } from "../base/ports";
import { dumpPyYaml } from "../formats/pyYaml";
import type { MethodSignature } from "../formats/tensor";
import type { SaveModelInput } from "../store/saveModelJob";
import { inspectFile } from "./inspect";
import { draftFromFiles } from "./registry";

/** What a save starts from, as plain data: the framework's part of the draft and what the model file declares. */
export interface DraftedFiles {
  readonly draft: Omit<SaveModelInput["draft"], "name" | "version" | "labels">;
  readonly optionsYaml: string;
  readonly files: SaveModelInput["files"];
  /** Inputs and outputs by method. */
  readonly described: Readonly<Record<string, MethodSignature>>;
}

/** Drafts a model from source files, first the model file, then what belongs to it. */
export const draftFilesJob: JobKey<{ readonly files: readonly string[] }, DraftedFiles> = { name: "model.draft" };

/** The work behind `draftFilesJob`. @throws ModelbenchError as `draftFromFiles` and `inspectFile` */
export async function runDraftFiles({ files }: { readonly files: readonly string[] }): Promise<DraftedFiles> {
  const drafted = draftFromFiles(files);
  const { options, ...draft } = drafted.draft;
  const [main] = drafted.files;
  const described = main === undefined ? {} : inspectFile(main.from).signatures;
  return { draft, optionsYaml: dumpPyYaml(options), files: drafted.files, described };
}
