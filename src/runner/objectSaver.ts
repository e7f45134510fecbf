import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ModelbenchError, throwIfAborted } from "../base/errors";
import type { Log } from "../base/log";
import type { JobOptions, Jobs } from "../base/ports";
import { dumpPyYaml, isYamlMap, parsePyYaml, type YamlMap, type YamlValue } from "../formats/pyYaml";
import { yamlFromJson } from "../formats/yamlFromJson";
import { type DraftedFiles, draftFilesJob } from "../frameworks/draftedFiles";
import type { ModelDraft } from "../store/model";
import { ModelStore } from "../store/modelStore";
import { digestFilesJob } from "../store/namedFiles";
import type { Provenance } from "../store/provenance";
import { saveStagedJob } from "../store/saveModelJob";
import { gitState } from "./gitState";
import { makePrivateFolder } from "./privateFolder";
import { PythonProcess } from "./pythonProcess";
import { fields } from "./valueBodies";

/** The worker's savers; `auto` = the object's own class tells. */
export type SavedAs = "auto" | "picklable" | "sklearn" | "flax" | "onnx";

/** What is to be saved, in the words of the user's own code. */
export interface ObjectSource {
  /** Absolute path of the Python file. */
  readonly file: string;
  /** `module:attribute`, or an expression in the file's own namespace. */
  readonly target: string;
  /** The same for the state of a Linen module; for one of NNX left out = its own. */
  readonly state?: string | undefined;
  readonly customObjects: readonly { readonly name: string; readonly expression: string }[];
  /** Modules whose code goes into the pickles, as BentoML's `external_modules`. */
  readonly externalModules: readonly string[];
}

/** In which Python it is made. */
export interface ObjectPython {
  /** Absolute path of the interpreter. */
  readonly interpreter: string;
  /** Absolute path of the folder with the worker's `__main__.py`. */
  readonly worker: string;
  /** Folders of the project from which its modules may be imported, after everything else. Absolute. */
  readonly paths: readonly string[];
  readonly preload: readonly string[];
  /** Absolute: where the user's code finds its files. */
  readonly workingFolder: string;
}

/** One object to be made into a model of a store. */
export interface ObjectRequest {
  /** Absolute home of the store. */
  readonly home: string;
  readonly adapter: SavedAs;
  readonly source: ObjectSource;
  readonly python: ObjectPython;
  /** Absolute paths of the files that the user names as the model's data. */
  readonly dataFiles: readonly string[];
}

/** What the user says of the model. */
export interface ObjectValues extends Pick<ModelDraft, "name" | "version" | "labels"> {
  /** JSON texts. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Left out = the framework's own. */
  readonly signatures?: ModelDraft["signatures"] | undefined;
  /** JSON objects by method; only for frameworks whose options have them. */
  readonly partialKwargs?: Readonly<Record<string, string>> | undefined;
}

/** What it is made with beside the request. */
export interface ObjectSaverParts {
  readonly jobs: Jobs;
  readonly log: Log;
}

/**
 * An object of a project that was made and written into the store's staging: not a model yet, and gone with its
 * process unless it is saved.
 */
export interface MadeObject {
  /** As drafts of files are, with the versions of the Python that made it. */
  readonly drafted: DraftedFiles;
  /** The object's class, with its module. */
  readonly type: string;
  /** What can be called on it, by name. */
  readonly methods: readonly string[];
  readonly provenance: Provenance;
  /**
   * Makes it a version of the store; when that fails another name can be tried.
   * @throws ModelbenchError as `ModelStore.saveStaged`, `usage` for partial arguments that are no JSON object
   */
  save(values: ObjectValues, options?: JobOptions): Promise<{ readonly tag: string; readonly path: string }>;
  /** Removes what was made; after a save nothing. Never fails. */
  discard(): Promise<void>;
}

/**
 * Runs the user's file in a worker, makes the object that it names, and has it written into the store's staging. When
 * it fails or is cancelled, the worker ends with everything it started, and nothing of it stays.
 * @throws ModelbenchError `python.missing`, `python.module`, `model.framework`, `file.access`, `store.access`,
 *   `run.failed` in the words of the user's own code, `worker.died`, `cancelled`
 */
export async function makeObject(
  request: ObjectRequest,
  { jobs, log }: ObjectSaverParts,
  signal?: AbortSignal,
): Promise<MadeObject> {
  throwIfAborted(signal);
  const { home, source, dataFiles } = request;
  const [digested, git] = await Promise.all([
    jobs.run(digestFilesJob, { paths: [source.file, ...dataFiles] }, { signal }),
    gitState(source.file, signal),
  ]);
  const [script, ...data] = digested;
  if (script === undefined) throw new ModelbenchError("internal", "A digest is missing.");
  const store = new ModelStore(home);
  const folder = await store.stagingFolder();
  try {
    const written = await write(request, folder, log, signal);
    const drafted = await draft(folder, written, jobs, signal);
    const versions = { python: written.python, ...written.versions };
    const provenance = { expression: expressionOf(source), script, ...(git && { git }), data, versions };
    return {
      drafted,
      type: written.type,
      methods: written.methods,
      provenance,
      save: (values, options) => jobs.run(saveStagedJob, saveInput(home, folder, drafted, provenance, values), options),
      discard: () => store.discard(folder),
    };
  } catch (error) {
    await store.discard(folder);
    throw error;
  }
}

/** Both in one: an object is made and saved, or nothing stays. @throws ModelbenchError as both */
export async function saveObject(
  request: ObjectRequest,
  values: ObjectValues,
  parts: ObjectSaverParts,
  options: JobOptions = {},
): Promise<{ readonly tag: string; readonly path: string }> {
  const made = await makeObject(request, parts, options.signal);
  try {
    return await made.save(values, options);
  } catch (error) {
    await made.discard();
    throw error;
  }
}

/** What the worker says of what it wrote. */
interface Written {
  readonly adapter: Exclude<SavedAs, "auto">;
  readonly type: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly python: string;
  readonly methods: readonly string[];
}

const MODULES: Readonly<Record<Written["adapter"], string>> = {
  picklable: "bentoml.picklable_model",
  sklearn: "bentoml.sklearn",
  flax: "bentoml.flax",
  onnx: "bentoml.onnx",
};

async function write(request: ObjectRequest, folder: string, log: Log, signal?: AbortSignal): Promise<Written> {
  const { adapter, python, source } = request;
  const { interpreter, worker, paths, preload, workingFolder } = python;
  const own = makePrivateFolder();
  let started: PythonProcess | undefined;
  const stop = () => started?.kill();
  try {
    throwIfAborted(signal);
    started = new PythonProcess({
      label: source.file,
      interpreter,
      worker,
      cwd: own.work,
      env: {},
      onLine: (line) => log.info(line),
    });
    signal?.addEventListener("abort", stop);
    const { file, target, state = null, customObjects, externalModules } = source;
    const asked = {
      adapter,
      file,
      target,
      state,
      folder,
      workingFolder,
      paths,
      preload,
      customObjects,
      externalModules,
    };
    return written((await started.call("save", asked)).data);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    started?.kill();
    // What the user's code started may write into the folder until it is gone.
    await started?.ended;
    own.remove();
  }
}

function written(data: unknown): Written {
  const { adapter, type, versions, python, methods } = fields(data);
  const known = Object.keys(MODULES).find((name) => name === adapter) as Written["adapter"] | undefined;
  const isNamed = typeof versions === "object" && versions !== null && Array.isArray(methods);
  if (known === undefined || typeof type !== "string" || typeof python !== "string" || !isNamed) {
    throw new ModelbenchError("protocol.invalid", "The Python process answered a `save` with what is none.");
  }
  const named = Object.entries(versions).map(([name, version]) => [name, String(version)] as const);
  return { adapter: known, type, python, versions: Object.fromEntries(named), methods: methods.map(String) };
}

/** The framework's part of the draft, read from what was written as from any file; the versions are those at hand. */
async function draft(folder: string, made: Written, jobs: Jobs, signal?: AbortSignal): Promise<DraftedFiles> {
  const names = readdirSync(folder).sort();
  // Custom objects of the others are no file that their framework knows of.
  const given = made.adapter === "flax" ? names : names.filter((name) => name !== "custom_objects.pkl");
  const files = given.map((name) => join(folder, name));
  const drafted = await jobs.run(draftFilesJob, { files, module: MODULES[made.adapter] }, { signal });
  return {
    ...drafted,
    modules: [drafted.draft.module],
    files: names.map((name) => ({ from: join(folder, name), to: name })),
    draft: { ...drafted.draft, frameworkVersions: made.versions, pythonVersion: made.python },
  };
}

function saveInput(
  home: string,
  folder: string,
  { draft: { signatures, ...rest }, optionsYaml }: DraftedFiles,
  provenance: Provenance,
  values: ObjectValues,
) {
  const { name, version, labels, metadata } = values;
  return {
    home,
    folder,
    origin: { kind: "saved", from: provenance.script.path, detail: provenance.expression, provenance } as const,
    draft: { ...rest, name, version, labels, signatures: values.signatures ?? signatures },
    metadataYaml: dumpPyYaml(new Map(jsonEntries(metadata))),
    optionsYaml: withPartial(optionsYaml, values.partialKwargs ?? {}),
  };
}

function withPartial(optionsYaml: string, partial: Readonly<Record<string, string>>): string {
  const methods = jsonEntries(partial);
  if (methods.length === 0) return optionsYaml;
  const options = parsePyYaml(optionsYaml);
  if (!isYamlMap(options) || !options.has("partial_kwargs")) {
    throw new ModelbenchError("usage", "Models of this framework take no partial arguments.");
  }
  const wrong = methods.find(([, value]) => !isYamlMap(value));
  if (wrong) throw new ModelbenchError("usage", `The partial arguments of ${wrong[0]} are no JSON object.`);
  const changed: YamlMap = new Map([...options, ["partial_kwargs", new Map(methods)]]);
  return dumpPyYaml(changed);
}

function jsonEntries(texts: Readonly<Record<string, string>>): [string, YamlValue][] {
  return Object.entries(texts).map(([key, json]) => [key, yamlFromJson(json)]);
}

function expressionOf({ target, state }: ObjectSource): string {
  return state === undefined ? target : `${target}, ${state}`;
}
