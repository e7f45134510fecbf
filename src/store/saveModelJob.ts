import { ModelbenchError } from "../base/errors";
import type { JobKey, JobOptions } from "../base/ports";
import { dumpPyYaml, isYamlMap, parsePyYaml, type YamlMap } from "../formats/pyYaml";
import type { ModelDraft, SourceFile } from "./model";
import { ModelStore } from "./modelStore";
import type { OriginNote } from "./origin";
import { formatTag } from "./tag";

/**
 * What a save needs, as plain data: metadata and options travel as YAML text, because the classes that keep floats,
 * dates and keys exact do not survive being cloned into another process.
 */
export interface SaveModelInput {
  readonly home: string;
  readonly draft: Omit<ModelDraft, "metadata" | "options">;
  readonly metadataYaml: string;
  readonly optionsYaml: string;
  readonly files: readonly SourceFile[];
}

/** Saves a new model into the store at `home`. */
export const saveModelJob: JobKey<SaveModelInput, { readonly tag: string; readonly path: string }> = {
  name: "store.save",
};

/** What saving a folder of staging needs, which holds every file of the model but its model.yaml. */
export interface SaveStagedInput extends Omit<SaveModelInput, "files"> {
  /** Absolute path below the staging of the store at `home`. */
  readonly folder: string;
  readonly origin: OriginNote;
}

/** Makes a folder of staging a new version of the store at `home`; on failure the folder stays. */
export const saveStagedJob: JobKey<SaveStagedInput, { readonly tag: string; readonly path: string }> = {
  name: "store.saveStaged",
};

/** The input of `saveModelJob` for a draft. */
export function saveModelInput(home: string, draft: ModelDraft, files: readonly SourceFile[]): SaveModelInput {
  const { metadata, options, ...rest } = draft;
  return { home, draft: rest, metadataYaml: dumpPyYaml(metadata), optionsYaml: dumpPyYaml(options), files };
}

/** The work behind `saveModelJob`. @throws ModelbenchError as `ModelStore.save` */
export async function runSaveModel(
  input: SaveModelInput,
  options: JobOptions,
): Promise<{ readonly tag: string; readonly path: string }> {
  const saved = await new ModelStore(input.home).save(draftOf(input), [...input.files], options);
  return { tag: formatTag(saved.tag), path: saved.path };
}

/** The work behind `saveStagedJob`. @throws ModelbenchError as `ModelStore.saveStaged` */
export async function runSaveStaged(
  input: SaveStagedInput,
  options: JobOptions,
): Promise<{ readonly tag: string; readonly path: string }> {
  const { folder, home, origin } = input;
  const saved = await new ModelStore(home).saveStaged(draftOf(input), folder, { ...options, origin });
  return { tag: formatTag(saved.tag), path: saved.path };
}

function draftOf({ draft, metadataYaml, optionsYaml }: Omit<SaveModelInput, "files">): ModelDraft {
  return { ...draft, metadata: readMap(metadataYaml), options: readMap(optionsYaml) };
}

function readMap(yaml: string): YamlMap {
  const value = parsePyYaml(yaml);
  if (!isYamlMap(value)) throw new ModelbenchError("internal", "A draft's metadata or options are not a mapping.");
  return value;
}
