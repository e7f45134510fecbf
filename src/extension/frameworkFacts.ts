import { adapterFor } from "../frameworks/registry";
import type { Localize } from "./services";

/** What the tree, the pickers and Test say about the framework of a model. */
export interface FrameworkFacts {
  /** Short name for badges: `onnx`, `sklearn`. */
  readonly label: string;
  /** Flags for the tree's context value; the first one names the framework. */
  readonly flags: readonly string[];
  /** Why this version cannot run it, to follow its tag or `This model`; `undefined` when it can. */
  readonly cannotRun: string | undefined;
  /** The same in the two words that a narrow tree has room for. */
  readonly remark: string | undefined;
}

/** Facts by the value of `module:` in model.yaml; nothing of that value is imported or executed. */
export function frameworkFacts(t: Localize, module: string): FrameworkFacts {
  const adapter = adapterFor(module);
  if (adapter?.runnable) {
    return { label: adapter.label, flags: [adapter.label, "runnable"], cannotRun: undefined, remark: undefined };
  }
  if (adapter?.needs === "nothing") {
    const cannotRun = t("has no framework: there is nothing to run");
    return { label: t("files"), flags: [], cannotRun, remark: undefined };
  }
  return {
    label: adapter?.label ?? module.replace(/^bentoml\./, ""),
    flags: adapter ? [adapter.label] : [],
    cannotRun: t("is of a framework that this version does not know"),
    remark: t("cannot run"),
  };
}
