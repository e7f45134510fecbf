import { adapterFor } from "../frameworks/registry";
import type { Localize } from "./services";

/** What the tree, the pickers and Test say about the framework of a model. */
export interface FrameworkFacts {
  /** Short name for badges: `onnx`, `sklearn`. */
  readonly label: string;
  /** Flags for the tree's context value; the first one names the framework. */
  readonly flags: readonly string[];
  /** Why this version cannot run it; `undefined` when it can. */
  readonly cannotRun: string | undefined;
}

/** Facts by the value of `module:` in model.yaml; nothing of that value is imported or executed. */
export function frameworkFacts(t: Localize, module: string): FrameworkFacts {
  const adapter = adapterFor(module);
  if (adapter?.runnable) return { label: adapter.label, flags: [adapter.label, "runnable"], cannotRun: undefined };
  if (adapter?.needs === "nothing") {
    return { label: t("files"), flags: [], cannotRun: t("has no framework: there is nothing to run") };
  }
  return {
    label: adapter?.label ?? module.replace(/^bentoml\./, ""),
    flags: adapter ? [adapter.label] : [],
    cannotRun: t("needs your Python: not in this version"),
  };
}
