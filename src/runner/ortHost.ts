import { Worker } from "node:worker_threads";
import { cpuCount } from "../base/cpuCount";
import { fromWireError, ModelbenchError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import type { SessionSettings } from "../frameworks/onnx/run";
import { DEFAULT_SETTINGS, threadsOf } from "../frameworks/onnx/sessionOptions";
import type { BatchPlan } from "./batchRequest";
import { gpuOf, numbered } from "./devices";
import { type FromOrt, movable, type ToOrt } from "./ortMessages";
import type { LoadedObject, LoadRequest, LoadResult } from "./protocol";
import { thisMachine } from "./thisMachine";
import { isTensor, type NamedOutputs, type NamedValues } from "./values";

/** A model open in a runtime, seen from the thread that drives it. */
export interface OpenModel {
  readonly loaded: LoadResult;
  /** Runs that go on at once; further ones wait, in order. Left out = 1. */
  readonly concurrency?: number;
  /**
   * `plan`: along which axes the rows of a batch lie; left out for a call of its own. `spent`: what it took over of the
   * inputs and needs no more.
   * @throws ModelbenchError `run.failed`
   */
  run(
    method: string,
    inputs: NamedValues,
    plan?: BatchPlan,
  ): Promise<{ outputs: NamedOutputs; runMs: number; spent?: readonly ArrayBuffer[] }>;
  /** Loads the model's custom objects and lets them say what they are; left out = such models have none. */
  customObjects?(): Promise<readonly LoadedObject[]>;
  /** Ends what it runs in; called when the process ends, and when nobody waits for a run that does not end. */
  kill?(): void;
}

/**
 * Opens a model in threads of its own: one, or as many as runs are to go on at once. The runtime's library blocks its
 * thread for the whole of a run, and shares no session between threads, so each run at once needs a thread and a
 * session, with the weights in memory once more. A thread dying in the middle of a run is no failure of the request:
 * `onDeath` ends the process, and the client sends the request to the next one.
 * @throws ModelbenchError `device.unavailable`; `run.failed` when the runtime refuses the model or cannot start
 */
export async function openOrtThread(
  entry: string,
  request: LoadRequest,
  onDeath: (error: Error) => void,
): Promise<OpenModel> {
  const { onnx = DEFAULT_SETTINGS } = request;
  const threads = threadsOf(onnx, cpuCount(thisMachine), thisMachine.processors());
  const settings = { ...onnx, ...threads };
  const opened: OrtThread[] = [];
  const openThread = (device: string): Promise<LoadResult> => {
    const thread = new OrtThread(entry, onDeath);
    opened.push(thread);
    return thread.load(request, device, settings);
  };
  const kill = () => {
    for (const thread of opened) thread.end();
  };
  try {
    const loaded = await openThread(gpuOf(request.device).kind);
    const { concurrency, ...said } = possibleRuns(onnx.concurrency, loaded);
    // All the others open the model on the device that the first one found, side by side.
    const others = await Promise.all(Array.from({ length: concurrency - 1 }, () => openThread(loaded.device)));
    const loadMs = loaded.loadMs + Math.max(0, ...others.map((other) => other.loadMs));
    const turns = new Turns(opened);
    return {
      loaded: { ...loaded, device: numbered(loaded.device, request.device), loadMs, ...said },
      concurrency,
      run: (_method, inputs) => turns.take((thread) => thread.run(tensorsOf(inputs))),
      kill,
    };
  } catch (error) {
    kill();
    throw error;
  }
}

/** Sessions of several threads end the process on WebGPU (a segmentation fault), and would fight for any device. */
function possibleRuns(
  concurrency: number,
  { device, fallbacks = [] }: LoadResult,
): { concurrency: number; fallbacks?: readonly string[] } {
  if (device === "cpu" || concurrency === 1) return { concurrency };
  const why = `${concurrency} runs at once are for the CPU only: on ${device} there is one at a time.`;
  return { concurrency: 1, fallbacks: [...fallbacks, why] };
}

/** Things of which each serves one at a time; who finds none free waits, first come, first served. */
class Turns<Item> {
  readonly #free: Item[];
  readonly #waiting: ((item: Item) => void)[] = [];

  constructor(items: readonly Item[]) {
    this.#free = [...items];
  }

  async take<Result>(use: (item: Item) => Promise<Result>): Promise<Result> {
    const item = this.#free.shift() ?? (await new Promise<Item>((resolve) => this.#waiting.push(resolve)));
    try {
      return await use(item);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.unshift(item);
      else next(item);
    }
  }
}

interface Waiting {
  readonly resolve: (answer: FromOrt) => void;
  readonly reject: (error: ModelbenchError) => void;
}

/** One thread with one session; asked one thing at a time. */
class OrtThread {
  readonly #worker: Worker;
  #asked: Waiting | undefined;
  #isLoaded = false;
  #isEnded = false;

  constructor(entry: string, onDeath: (error: Error) => void) {
    this.#worker = new Worker(entry);
    const died = (error: Error) => {
      if (this.#isLoaded && !this.#isEnded) onDeath(error);
      else this.#settle()?.reject(cannotStart(error));
    };
    this.#worker.on("message", (answer: FromOrt) => this.#settle()?.resolve(answer));
    this.#worker.on("error", died);
    this.#worker.on("exit", (code) => died(new Error(`the runtime's thread ended with code ${code}`)));
  }

  async load({ file, signatures }: LoadRequest, device: string, settings: SessionSettings): Promise<LoadResult> {
    const answer = await this.#ask({ kind: "load", file, device, methods: Object.keys(signatures), settings });
    if (answer.kind !== "loaded") throw failure(answer);
    this.#isLoaded = true;
    return answer.result;
  }

  async run(inputs: readonly (readonly [string, Tensor])[]): ReturnType<OpenModel["run"]> {
    const { values, buffers } = movable(inputs);
    const ran = await this.#ask({ kind: "run", inputs: values }, buffers);
    if (ran.kind !== "ran") throw failure(ran);
    return { outputs: new Map(ran.outputs), runMs: ran.runMs, spent: ran.spent };
  }

  /** Frees the session as soon as no run is under way: native code is not interrupted. */
  end(): void {
    this.#isEnded = true;
    void this.#worker.terminate();
  }

  #ask(message: ToOrt, buffers: ArrayBuffer[] = []): Promise<FromOrt> {
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#worker.postMessage(message, buffers);
    });
  }

  #settle(): Waiting | undefined {
    const asked = this.#asked;
    this.#asked = undefined;
    return asked;
  }
}

function cannotStart(cause: Error): ModelbenchError {
  return new ModelbenchError("run.failed", `The ONNX runtime cannot start: ${cause.message}`, { cause });
}

/** The runtime takes and gives tensors only. */
function tensorsOf(values: NamedValues): [string, Tensor][] {
  return Object.entries(values).map(([name, value]) => {
    if (isTensor(value)) return [name, value];
    throw new ModelbenchError("run.unsupported", `\`${name}\` is a ${value.container}, and ONNX takes tensors only.`);
  });
}

function failure(answer: FromOrt): ModelbenchError {
  return answer.kind === "failed"
    ? fromWireError(answer.error)
    : new ModelbenchError("internal", `The runtime's thread answered out of turn: ${answer.kind}.`);
}
