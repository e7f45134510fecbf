import { ModelbenchError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import type { Frame } from "./frames";
import type { OpenModel } from "./ortHost";
import { makePrivateFolder, type PrivateFolder, takeOverFiles } from "./privateFolder";
import type { LoadRequest, LoadResult, PythonLoad } from "./protocol";
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
): Promise<OpenModel> {
  const python = pythonOf(request);
  const folder = makePrivateFolder();
  const started = startIn(folder, request, python);
  onStart(started);
  let isLoaded = false;
  void started.ended.then((cause) => {
    if (!isLoaded) return;
    folder.remove();
    onDeath(cause);
  });
  try {
    const importMs = await prepare(started, request, python, folder.model);
    const loaded = loadResult(request, await started.call("load", loadData(request, python, folder.model)));
    isLoaded = true;
    return {
      loaded: { ...loaded, loadMs: importMs + loaded.loadMs },
      run: (method, inputs) => run(started, method, inputs),
      kill: () => started.kill(),
    };
  } catch (error) {
    started.kill();
    await started.ended;
    folder.remove();
    throw error;
  }
}

function startIn(folder: PrivateFolder, request: LoadRequest, { interpreter, worker }: PythonLoad): PythonProcess {
  const { label } = request;
  try {
    return new PythonProcess({ label, interpreter, worker, cwd: folder.work, env: environmentOf(request) });
  } catch (error) {
    folder.remove();
    throw error;
  }
}

/**
 * Imports the framework while the model's files are taken over, since both take seconds for a large model; answers
 * with the milliseconds of the import. The first failure ends both.
 */
async function prepare(
  started: PythonProcess,
  { label, adapter }: LoadRequest,
  python: PythonLoad,
  target: string,
): Promise<number> {
  const end = new AbortController();
  let failure: unknown;
  const fail = (error: unknown) => {
    failure ??= error;
    end.abort();
    started.kill();
  };
  const importing = started.call("import", { adapter, preload: python.preload });
  const [imported] = await Promise.all([
    importing.catch(fail),
    takeOverFiles(label, python, target, end.signal).catch(fail),
  ]);
  if (failure !== undefined) throw failure;
  return milliseconds(fields(imported?.data)["importMs"], "import");
}

async function run(started: PythonProcess, method: string, inputs: NamedValues): ReturnType<OpenModel["run"]> {
  const bodies: Tensor[] = [];
  const args = Object.entries(inputs).map(([name, value]) => ({ name, value: encodeValue(value, bodies) }));
  const frame = await started.call("run", { method, args }, bodies).catch((error: unknown) => {
    // The runner ends with its worker, and another one is asked: this one has nothing to say any more.
    if (error === started.fault) return new Promise<never>(() => undefined);
    throw error;
  });
  const { outputs, runMs } = fields(frame.data);
  if (!Array.isArray(outputs)) throw malformed("run");
  const named = outputs.map((output: unknown) => readOutput(output, frame.bodies));
  return { outputs: Object.fromEntries(named), runMs: milliseconds(runMs, "run") };
}

function readOutput(output: unknown, bodies: readonly Tensor[]): readonly [string, RunValue] {
  const { name, value } = fields(output);
  if (typeof name !== "string") throw malformed("run");
  return [name, decodeValue(value, bodies)];
}

function loadResult(request: LoadRequest, { data }: Frame): LoadResult {
  const { importMs, loadMs, device } = fields(data);
  if (typeof device !== "string") throw malformed("load");
  const { index } = gpuOf(request.device);
  // To the worker the only GPU it sees is the first one.
  const isGpu = index !== undefined && device !== "cpu";
  const allMs = milliseconds(importMs, "load") + milliseconds(loadMs, "load");
  return { loadMs: allMs, device: isGpu ? `${device}:${index}` : device, unfetchable: {} };
}

function loadData(request: LoadRequest, python: PythonLoad, folder: string): unknown {
  const { adapter, label } = request;
  const { options, paths, preload, init } = python;
  const device = gpuOf(request.device).kind;
  return { adapter, label, folder, options, device, paths, preload, ...(init === undefined ? {} : { init }) };
}

/** What the model's process may see beyond the allowed variables: which GPUs, and how many threads. */
function environmentOf({ adapter, device }: LoadRequest): Record<string, string> {
  const env = SINGLE_THREADED.has(adapter) ? Object.fromEntries(THREAD_COUNTS.map((name) => [name, "1"])) : {};
  const { index } = gpuOf(device);
  const visible = device === "cpu" ? "-1" : index;
  return visible === undefined ? env : { ...env, CUDA_VISIBLE_DEVICES: visible };
}

/** `cuda:1` is a kind of device and which of them; some frameworks take the memory of every GPU they see. */
function gpuOf(device: string): { readonly kind: string; readonly index?: string } {
  const [, kind, index] = /^(cuda|gpu):([0-9]+)$/.exec(device) ?? [];
  return kind === undefined || index === undefined ? { kind: device } : { kind, index };
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
