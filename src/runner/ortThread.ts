import { parentPort } from "node:worker_threads";
import { ModelbenchError, toWireError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import { createOnnxSession, type OnnxSession } from "../frameworks/onnx/run";
import { type FromOrt, movable, type ToOrt } from "./ortMessages";

/**
 * Entry of one of the runtime's threads: `create` and `run` block the thread they are on, so they get one of their own,
 * and a thread opens one session.
 */
let session: OnnxSession | undefined;

parentPort?.on("message", (message: ToOrt) => void answer(message));

async function answer(message: ToOrt): Promise<void> {
  try {
    if (message.kind === "load") post(await load(message));
    else await run(message.inputs);
  } catch (error) {
    post({ kind: "failed", error: toWireError(error) });
  }
}

async function load({ file, device, methods, settings }: Extract<ToOrt, { kind: "load" }>): Promise<FromOrt> {
  const started = performance.now();
  const opened = await createOnnxSession(file, device, settings);
  const loadMs = performance.now() - started;
  session = opened;
  const unfetchable = Object.fromEntries(methods.map((method) => [method, opened.unfetchable]));
  const { device: used, fallbacks } = opened;
  const said = fallbacks.length === 0 ? {} : { fallbacks };
  return { kind: "loaded", result: { loadMs, device: used, ...said, unfetchable } };
}

async function run(inputs: readonly (readonly [string, Tensor])[]): Promise<void> {
  if (session === undefined) throw new ModelbenchError("internal", "A run came before the model.");
  const started = performance.now();
  const outputs = await session.run(Object.fromEntries(inputs));
  const runMs = performance.now() - started;
  const { values, buffers } = movable(Object.entries(outputs));
  // The runtime copies what it answers, so nothing of an output lies in an input's memory.
  const { buffers: spent } = movable(inputs);
  post({ kind: "ran", outputs: values, runMs, spent }, [...buffers, ...spent]);
}

function post(message: FromOrt, buffers: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, buffers);
}
