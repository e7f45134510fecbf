import { join } from "node:path";
import { findInterpreter, refuseLacking } from "../frameworks/interpreters";
import { PYTHON_NEEDS } from "../frameworks/onnx/providers";
import { inOwnPython } from "../runner/ownPython";
import type { LoadRequest } from "../runner/protocol";
import { askedInterpreter } from "./pythonModel";
import type { VerbContext } from "./verb";

/**
 * The request for a model of ONNX with the onnxruntime of the user's own Python as its engine. The model is data, so
 * nobody is asked to allow code.
 * @param option what `--python` says
 * @throws ModelbenchError `python.missing` with the line that installs what is lacking
 */
export function onnxInPython({ bundles }: VerbContext, request: LoadRequest, option: string | undefined): LoadRequest {
  const { env, platform } = process;
  const interpreter = findInterpreter({ asked: askedInterpreter(option), env, folder: process.cwd(), platform });
  refuseLacking(interpreter, request.label, PYTHON_NEEDS);
  return inOwnPython(request, interpreter, join(bundles, "python"));
}
