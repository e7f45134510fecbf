import { ModelbenchError } from "../../base/errors";
import { PYTHON_NEEDS } from "../../frameworks/onnx/providers";
import type { OwnPython } from "../page/engineChoice";
import type { Localize, ModelRef } from "../services";
import type { PythonTestPort } from "./pythonTest";
import { readyInterpreter } from "./readyInterpreter";

/**
 * The Python that an ONNX model is to be opened in. The model is data, so nobody is asked; an interpreter is started in
 * a trusted workspace only.
 * @throws ModelbenchError `device.unavailable` in Restricted Mode, `python.missing`
 */
export async function ownPython(
  { tag }: ModelRef,
  {
    pythonTests,
    t,
  }: { readonly pythonTests: Pick<PythonTestPort, "python" | "trust" | "worker">; readonly t: Localize },
  signal: AbortSignal | undefined,
): Promise<OwnPython> {
  const { python, trust, worker } = pythonTests;
  if (!trust.isTrusted) {
    const remedy = t("Trust the workspace, or choose another device.");
    throw new ModelbenchError("device.unavailable", t("No Python is started in Restricted Mode."), { remedy });
  }
  const { view } = await python.find(PYTHON_NEEDS, signal);
  return { interpreter: readyInterpreter(t, tag, view), worker };
}
