import type { JobKey } from "../base/ports";
import type { MethodSignature } from "../formats/tensor";
import type { SaveModelInput } from "../store/saveModelJob";

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
