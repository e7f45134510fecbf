import { adapterFor } from "../frameworks/registry";
import { frameworkFacts } from "./frameworkFacts";
import type { Localize, RunRefusal, StoreId } from "./services";

/**
 * Why a model may not run, from its module, Workspace Trust and where it lies; `undefined` = it may. Models that
 * only compute data run in a trusted workspace, and in Restricted Mode when they come from the user's own store
 * or from the bundled sample store: a folder that was just opened cannot have put them there.
 */
export function runRefusal(
  t: Localize,
  module: string,
  isTrusted: boolean,
  origin: StoreId | "file",
): RunRefusal | undefined {
  const { cannotRun } = frameworkFacts(t, module);
  if (cannotRun !== undefined) {
    return { code: "run.unsupported", reason: cannotRun, remedy: t("You can look at everything else it holds.") };
  }
  const allowed = isTrusted || (adapterFor(module)?.needs === "data" && origin !== "file");
  if (allowed) return undefined;
  const reason =
    origin === "file"
      ? t("Files outside the model store do not run in Restricted Mode.")
      : t("Models that run code do not run in Restricted Mode.");
  return { code: "trust.required", reason, remedy: t("Trust this workspace to run it.") };
}
