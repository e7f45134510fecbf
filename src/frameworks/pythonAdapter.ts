import type { MethodSignature } from "../formats/tensor";
import type { StoredModel } from "../store/model";
import type { FrameworkAdapter, PythonFacts } from "./adapter";
import { namedMethods } from "./filesOnly";

/**
 * An adapter for models that run in the user's own Python: loading one runs code of the model. Its methods take
 * whatever the Python behind them takes, so their signatures are open.
 */
export function pythonAdapter(module: string, label: string, python: PythonFacts): FrameworkAdapter {
  return { module, label, needs: "code", runnable: true, engine: "python", python, signatures: openMethods };
}

/**
 * An adapter for a framework that the user's own BentoML loads.
 * @param needs what has to be installed beside bentoml, as in `PythonFacts`
 */
export function bentomlAdapter(module: string, label: string, ...needs: PythonFacts["needs"]): FrameworkAdapter {
  return pythonAdapter(module, label, {
    worker: "bentoml",
    needs: [["bentoml"], ...needs],
    dtype: "float64",
    isCpuOnly: false,
  });
}

function openMethods(model: StoredModel): Readonly<Record<string, MethodSignature>> {
  const methods = Object.entries(namedMethods(model));
  return Object.fromEntries(methods.map(([method, signature]) => [method, { ...signature, isOpen: true }]));
}
