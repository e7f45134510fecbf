import { Worker } from "node:worker_threads";
import { fromWireError, ModelbenchError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import { type FromOrt, movable, type ToOrt } from "./ortMessages";
import type { LoadRequest, LoadResult } from "./protocol";
import { isTensor, type NamedValues } from "./values";

/** A model open in a runtime, seen from the thread that drives it. */
export interface OpenModel {
  readonly loaded: LoadResult;
  /** One run at a time. @throws ModelbenchError `run.failed` */
  run(method: string, inputs: NamedValues): Promise<{ outputs: NamedValues; runMs: number }>;
  /** Ends what it runs in; called when the process ends, and when nobody waits for a run that does not end. */
  kill?(): void;
}

interface Waiting {
  readonly resolve: (answer: FromOrt) => void;
  readonly reject: (error: ModelbenchError) => void;
}

/**
 * Opens a model in a thread of its own. The thread dying in the middle of a run is no failure of the request:
 * `onDeath` ends the process, and the client sends the request to the next one.
 * @throws ModelbenchError `run.failed` when the runtime refuses the model or cannot start
 */
export async function openOrtThread(
  entry: string,
  request: LoadRequest,
  onDeath: (error: Error) => void,
): Promise<OpenModel> {
  const worker = new Worker(entry);
  const queue: Waiting[] = [];
  let isLoaded = false;
  const died = (error: Error) => {
    if (isLoaded) onDeath(error);
    else
      queue
        .shift()
        ?.reject(
          new ModelbenchError("run.failed", `The ONNX runtime cannot start: ${error.message}`, { cause: error }),
        );
  };
  worker.on("message", (answer: FromOrt) => queue.shift()?.resolve(answer));
  worker.on("error", died);
  worker.on("exit", (code) => died(new Error(`the runtime's thread ended with code ${code}`)));
  const ask = (message: ToOrt, buffers: ArrayBuffer[] = []) =>
    new Promise<FromOrt>((resolve, reject) => {
      queue.push({ resolve, reject });
      worker.postMessage(message, buffers);
    });
  const { file, device, signatures } = request;
  const answer = await ask({ kind: "load", file, device, methods: Object.keys(signatures) });
  if (answer.kind !== "loaded") throw failure(answer);
  isLoaded = true;
  return {
    loaded: answer.result,
    run: async (_method, inputs) => {
      const { values, buffers } = movable(tensorsOf(inputs));
      const ran = await ask({ kind: "run", inputs: values }, buffers);
      if (ran.kind !== "ran") throw failure(ran);
      return { outputs: Object.fromEntries(ran.outputs), runMs: ran.runMs };
    },
  };
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
