import { type ConnectOpts, Socket, type SocketConstructorOpts } from "node:net";
import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import { visibleGpus } from "./devices";
import { FrameReader, FrameWriter } from "./frames";
import { farewell } from "./logTail";
import { openOnnxInPython } from "./onnxInPython";
import { type OpenModel, openOrtThread } from "./ortHost";
import { removeOwnPrivateFolders } from "./privateFolder";
import type { LoadRequest } from "./protocol";
import { openPython, type WarmPython, warmPython } from "./pythonHost";
import type { PythonProcess } from "./pythonProcess";
import { RunnerService } from "./runnerService";
import { startedEvent } from "./wire";

/** Read at once at most: what a pipe holds. */
const READ_BYTES = 262_144;

/**
 * Entry of the runner process: frames come in on fd 3 and go out on fd 4; stdout and stderr are only logs. It lives
 * as long as its input, and ends by SIGKILL: nothing else does not wait for native code.
 */
const incoming: SocketConstructorOpts & ConnectOpts = {
  fd: 3,
  readable: true,
  writable: false,
  // What is read goes to the frame's own memory at once. A chunk of its own for each read would cost more than the read.
  onread: { buffer: Buffer.alloc(READ_BYTES), callback: read },
};
const input = new Socket(incoming);
const output = new Socket({ fd: 4, readable: false, writable: true });
const writer = new FrameWriter(output);
/** The model's own process, when it has one. */
let python: PythonProcess | undefined;
/** The same before the model is loaded, where it was started ahead. */
let warmed: Promise<WarmPython> | undefined;
const service = new RunnerService({
  send: (frame) => void writer.send(frame).catch((error: Error) => end(error.message)),
  open,
  warm,
  end: () => end("a stopped run did not end"),
  now: () => performance.now(),
});
const reader = new FrameReader((frame) => service.handle(frame));

input.resume();
input.on("close", () => end("its input closed"));
input.on("error", (error) => end(error.message));
output.on("error", (error) => end(error.message));

/** Goes on unless it ended the process. */
function read(count: number, chunk: Uint8Array): boolean {
  try {
    reader.push(chunk.subarray(0, count));
  } catch (error) {
    end(error instanceof Error ? error.message : String(error));
  }
  return true;
}

async function open(request: LoadRequest): Promise<OpenModel> {
  const { adapter, device, label, python: wanted } = request;
  if (wanted !== undefined) {
    const inPython = () => openPython(request, (error) => end(error.message), onPython, warmed);
    return adapter === "onnx" ? openOnnxInPython(request, inPython) : inPython();
  }
  if (adapter === "onnx") {
    // The runtime is to see the one GPU only, and takes it for the first.
    const gpus = device === "cpu" ? undefined : visibleGpus(device, process.env);
    if (gpus !== undefined) process.env["CUDA_VISIBLE_DEVICES"] = gpus;
    return openOrtThread(join(__dirname, "ortThread.cjs"), request, (error) =>
      end(`the runtime's thread died: ${error.message}`),
    );
  }
  throw new ModelbenchError("run.unsupported", `${label}: this version does not run ${adapter} models.`);
}

async function warm(request: LoadRequest): Promise<void> {
  if (request.python === undefined) return;
  warmed ??= warmPython(request, onPython);
  await (await warmed).importing;
}

function onPython(started: PythonProcess): void {
  python = started;
  if (started.pid !== undefined)
    void writer.send(startedEvent(started.pid)).catch((error: Error) => end(error.message));
}

function end(reason: string): void {
  python?.kill();
  removeOwnPrivateFolders();
  process.stderr.write(farewell(reason));
  process.kill(process.pid, "SIGKILL");
}
