import { basename, posix, relative, sep } from "node:path";
import { cpuCount } from "../base/cpuCount";
import { ModelbenchError } from "../base/errors";
import { plainLocation } from "../formats/folderFiles";
import { refuseUnreachable } from "../formats/onnx/externalData";
import { describeOnnxFile } from "../frameworks/onnx/describe";
import { explainLoadFailure, explainRunFailure } from "../frameworks/onnx/runFailures";
import { DEFAULT_SETTINGS, threadsOf } from "../frameworks/onnx/sessionOptions";
import type { OpenModel } from "./ortHost";
import type { LoadRequest } from "./protocol";
import { thisMachine } from "./thisMachine";

/** What failures call the runtime. */
const RUNTIME = "your onnxruntime";

/** What the worker has to know to open an ONNX model beyond what it needs of every model. */
export function onnxLoadData({ adapter, file, python, onnx = DEFAULT_SETTINGS }: LoadRequest): object {
  if (adapter !== "onnx" || python === undefined) return {};
  const threads = threadsOf({ ...onnx, concurrency: 1 }, cpuCount(thisMachine), thisMachine.processors());
  const { graphOptimization, executionMode, providers } = onnx;
  const session = { graphOptimization, executionMode, ...threads, ...(providers === undefined ? {} : { providers }) };
  return { file: relative(python.folder, file).replaceAll(sep, posix.sep), session };
}

/**
 * The files of an ONNX model, relative to its own folder: itself and those with its external data.
 * @throws ModelbenchError `onnx.external` for data that leave the folder or are not there, `format.corrupt`
 */
export function onnxFiles(file: string): readonly string[] {
  const { onnx, warnings } = describeOnnxFile(file);
  refuseUnreachable(warnings);
  const external = (onnx?.externalData ?? []).map(({ location }) => plainLocation(location) ?? location);
  return [...new Set([basename(file), ...external])];
}

/**
 * Opens an ONNX model in the user's Python: what the runtime there says of the model becomes the words that the
 * bundled one's does, and what was asked for and is not to be had there is said.
 * @param open opens any model in Python
 */
export async function openOnnxInPython(request: LoadRequest, open: () => Promise<OpenModel>): Promise<OpenModel> {
  const { onnx = DEFAULT_SETTINGS } = request;
  const opened = await open().catch((error: unknown) => {
    throw isRuntimes(error) ? explainLoadFailure(request.file, error, RUNTIME) : error;
  });
  const { loaded } = opened;
  const fallbacks = [...(onnx.remarks ?? []), ...(loaded.fallbacks ?? [])];
  if (onnx.concurrency > 1) {
    fallbacks.push(
      `${onnx.concurrency} runs at once are for the bundled runtime only: in Python there is one at a time.`,
    );
  }
  return {
    ...opened,
    loaded: { ...loaded, ...(fallbacks.length === 0 ? {} : { fallbacks }) },
    run: (method, inputs, plan) =>
      opened.run(method, inputs, plan).catch((error: unknown) => {
        throw isRuntimes(error) ? explainRunFailure(error) : error;
      }),
  };
}

function isRuntimes(error: unknown): boolean {
  return error instanceof ModelbenchError && error.code === "run.failed";
}
