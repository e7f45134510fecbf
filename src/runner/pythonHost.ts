import { ModelbenchError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import { type Apartness, howApart } from "./apartness";
import { refuseOtherDescription } from "./consentedDescription";
import { deviceEnvironment, gpuOf, numbered, visibleGpus } from "./devices";
import type { Frame } from "./frames";
import { onnxFiles, onnxLoadData } from "./onnxInPython";
import type { OpenModel } from "./ortHost";
import { linkFiles, makePrivateFolder, type PrivateFolder, takeOverFiles } from "./privateFolder";
import type { LoadedObject, LoadRequest, LoadResult, PythonLoad } from "./protocol";
import { PythonProcess } from "./pythonProcess";
import { decodeValue, encodeValue, fields } from "./valueBodies";
import type { NamedValues, RunValue } from "./values";

/** Adapters whose models run on one thread, as BentoML runs them. */
const SINGLE_THREADED = new Set(["picklable"]);

const THREAD_COUNTS = [
  "OMP_NUM_THREADS",
  "OPENBLAS_NUM_THREADS",
  "MKL_NUM_THREADS",
  "VECLIB_MAXIMUM_THREADS",
  "NUMEXPR_NUM_THREADS",
];

/** A process that imports the framework of a model before anything of the model is there, or has done so. */
export interface WarmPython {
  readonly apart: Apartness;
  readonly folder: PrivateFolder;
  readonly started: PythonProcess;
  /** Its answer; a failure is the load's to tell. */
  readonly importing: Promise<Frame>;
}

/**
 * Starts the process of a model and lets it import the framework; of the model itself nothing is placed or loaded.
 * @throws ModelbenchError `python.missing`
 */
export async function warmPython(
  request: LoadRequest,
  onStart: (started: PythonProcess) => void = () => undefined,
): Promise<WarmPython> {
  const python = pythonOf(request);
  const apart = await howApart(python, request.device);
  const folder = makePrivateFolder();
  const started = startIn(folder, request, python, apart);
  onStart(started);
  const importing = started.call("import", { adapter: request.adapter, preload: python.preload });
  importing.catch(() => undefined);
  return { apart, folder, started, importing };
}

/**
 * Opens a model in a Python process of its own, in a private folder that goes with it. The process dying in the
 * middle of a run is no failure of the request: `onDeath` ends the runner, and the client sends the request to the
 * next one. `onStart` is told of the process before it is asked anything, so that it can be ended while it loads.
 * @throws ModelbenchError `model.changed` for a file that is not the consented one, `python.missing` for an
 * interpreter that does not start, `worker.died`, and whatever the worker says of the model
 */
export async function openPython(
  request: LoadRequest,
  onDeath: (error: Error) => void,
  onStart: (started: PythonProcess) => void = () => undefined,
  warmed: Promise<WarmPython> = warmPython(request, onStart),
): Promise<OpenModel> {
  const python = pythonOf(request);
  const { apart, folder, started, importing } = await warmed;
  let isLoaded = false;
  void started.ended.then((cause) => {
    if (!isLoaded) return;
    folder.remove();
    onDeath(cause);
  });
  try {
    const { importMs, assertSame } = await prepare({ started, importing }, request, python, folder.model);
    const loaded = loadResult(request, await started.call("load", loadData(request, python, folder.model)));
    await assertSame();
    // Of an end until here nobody is told, and no run of it would ever be answered.
    if (started.fault !== undefined) throw started.fault;
    isLoaded = true;
    return {
      loaded: apart.told({ ...loaded, loadMs: importMs + loaded.loadMs }),
      run: (method, inputs, plan) => {
        const { maxBatchSize } = request.batching;
        return run(started, method, inputs, plan && [plan.inAxis, plan.outAxis, maxBatchSize]);
      },
      customObjects: async () => customObjects((await started.call("customObjects", {})).data),
      kill: () => started.kill(),
    };
  } catch (error) {
    started.kill();
    await started.ended;
    folder.remove();
    throw error;
  }
}

function customObjects(data: unknown): readonly LoadedObject[] {
  const { objects } = fields(data);
  if (!Array.isArray(objects)) throw malformed("customObjects");
  return objects.map((object: unknown) => {
    const { name, type, repr } = fields(object);
    if (typeof name !== "string" || typeof type !== "string" || typeof repr !== "string") {
      throw malformed("customObjects");
    }
    return { name, type, repr };
  });
}

function startIn(folder: PrivateFolder, request: LoadRequest, python: PythonLoad, apart: Apartness): PythonProcess {
  const { label } = request;
  const { interpreter, worker } = python;
  const env = environmentOf(request);
  try {
    const isolation = apart.command(folder);
    return new PythonProcess({ label, interpreter, worker, cwd: folder.work, env, isolation });
  } catch (error) {
    folder.remove();
    throw error;
  }
}

/**
 * Imports the framework while the model's files are taken over, since both take seconds for a large model; answers
 * with the milliseconds of the import and what looks at the files once more. The first failure ends both.
 */
async function prepare(
  { started, importing }: Pick<WarmPython, "started" | "importing">,
  request: LoadRequest,
  python: PythonLoad,
  target: string,
): Promise<{ importMs: number; assertSame: () => Promise<void> }> {
  const startedMs = performance.now();
  const end = new AbortController();
  let failure: unknown;
  const fail = (error: unknown) => {
    failure ??= error;
    end.abort();
    started.kill();
  };
  const [imported, assertSame] = await Promise.all([
    importing.catch(fail),
    placeFiles(request, python, target, end.signal).catch(fail),
  ]);
  if (failure !== undefined || assertSame === undefined) throw failure;
  // What was imported ahead nobody has waited for.
  const importMs = Math.min(milliseconds(fields(imported?.data)["importMs"], "import"), performance.now() - startedMs);
  return { importMs, assertSame };
}

/**
 * Of what runs code nothing is placed but what was allowed; an ONNX model is data. The answer looks whether what was
 * placed is still the same.
 */
async function placeFiles(
  { label, adapter, file }: LoadRequest,
  python: PythonLoad,
  target: string,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  if (adapter === "onnx") {
    await linkFiles(label, python.folder, onnxFiles(file), target);
    return async () => undefined;
  }
  const assertSame = await takeOverFiles(label, python, target, signal);
  refuseOtherDescription(label, python, target);
  return assertSame;
}

/** `batch`: the axes of its rows, and the most rows that one has. */
async function run(
  started: PythonProcess,
  method: string,
  inputs: NamedValues,
  batch: readonly number[] | undefined,
): ReturnType<OpenModel["run"]> {
  const bodies: Tensor[] = [];
  const args = Object.entries(inputs).map(([name, value]) => ({ name, value: encodeValue(value, bodies) }));
  const frame = await started.call("run", { method, args, ...(batch && { batch }) }, bodies).catch((error: unknown) => {
    // The runner ends with its worker, and another one is asked: this one has nothing to say any more.
    if (error === started.fault) return new Promise<never>(() => undefined);
    throw error;
  });
  const { outputs, runMs } = fields(frame.data);
  if (!Array.isArray(outputs)) throw malformed("run");
  const named = outputs.map((output: unknown) => readOutput(output, frame.bodies));
  return { outputs: new Map(named), runMs: milliseconds(runMs, "run") };
}

function readOutput(output: unknown, bodies: readonly Tensor[]): readonly [string, RunValue] {
  const { name, value } = fields(output);
  if (typeof name !== "string") throw malformed("run");
  return [name, decodeValue(value, bodies)];
}

function loadResult(request: LoadRequest, { data }: Frame): LoadResult {
  const { importMs, loadMs, device, versions, fallbacks } = fields(data);
  if (typeof device !== "string") throw malformed("load");
  const allMs = milliseconds(importMs, "load") + milliseconds(loadMs, "load");
  return {
    loadMs: allMs,
    device: numbered(device, request.device),
    ...(versions === undefined ? {} : { versions: textsBy(versions) }),
    ...(fallbacks === undefined ? {} : { fallbacks: texts(fallbacks) }),
    unfetchable: {},
  };
}

/** Versions by package, as the worker found them. */
function textsBy(value: unknown): Record<string, string> {
  const entries = Object.entries(fields(value));
  if (entries.every((entry): entry is [string, string] => typeof entry[1] === "string"))
    return Object.fromEntries(entries);
  throw malformed("load");
}

function texts(value: unknown): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw malformed("load");
}

function loadData(request: LoadRequest, python: PythonLoad, folder: string): unknown {
  const { adapter, label } = request;
  const { options, paths, preload, init } = python;
  const device = gpuOf(request.device).kind;
  return {
    adapter,
    label,
    folder,
    options,
    device,
    paths,
    preload,
    ...(init === undefined ? {} : { init }),
    ...onnxLoadData(request),
  };
}

/** What the model's process may see beyond the allowed variables: which GPUs, and how many threads. */
function environmentOf({ adapter, device }: LoadRequest): Record<string, string> {
  const env = SINGLE_THREADED.has(adapter) ? Object.fromEntries(THREAD_COUNTS.map((name) => [name, "1"])) : {};
  const visible = visibleGpus(device, process.env);
  const found = { ...env, ...deviceEnvironment(device, process.env) };
  return visible === undefined ? found : { ...found, CUDA_VISIBLE_DEVICES: visible };
}

function pythonOf({ label, adapter, python }: LoadRequest): PythonLoad {
  if (python !== undefined) return python;
  throw new ModelbenchError("run.unsupported", `${label}: ${adapter} models run in Python, and none was named.`);
}

function milliseconds(value: unknown, op: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw malformed(op);
  return value;
}

function malformed(op: string): ModelbenchError {
  return new ModelbenchError("protocol.invalid", `The Python process answered a \`${op}\` with what is none.`);
}
