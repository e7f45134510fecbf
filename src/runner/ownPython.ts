import { dirname } from "node:path";
import { PYTHON_PREFIX } from "../frameworks/onnx/providers";
import type { LoadRequest } from "./protocol";

/**
 * The request for an ONNX model whose device is `python:…`, for the onnxruntime of an interpreter as its engine. What
 * is declared stays, so that inputs are checked as ever. A file is data: nobody has to allow anything.
 * @param interpreter absolute
 * @param worker absolute path of the folder with the worker's `__main__.py`
 */
export function inOwnPython(request: LoadRequest, interpreter: string, worker: string): LoadRequest {
  const { device, file } = request;
  return {
    ...request,
    device: device.slice(PYTHON_PREFIX.length),
    // The runner finds the files that belong to the model by its header.
    python: { interpreter, worker, folder: dirname(file), files: [], options: "{}", paths: [], preload: [] },
  };
}
