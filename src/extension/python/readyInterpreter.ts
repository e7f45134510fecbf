import type { PythonView } from "../../../webview/protocol/views";
import { ModelbenchError } from "../../base/errors";
import type { Localize } from "../services";

/** The interpreter of a view, absolute. @throws ModelbenchError `python.missing`, with the line that installs what it lacks */
export function readyInterpreter(t: Localize, tag: string, view: PythonView): string {
  const { command, interpreter, lacking, problem } = view;
  if (interpreter === null)
    throw new ModelbenchError("python.missing", problem?.message ?? "", { remedy: problem?.remedy ?? undefined });
  if (lacking.length === 0) return interpreter;
  const message = t("{0} needs {1}, and {2} does not have it.", tag, lacking.join(", "), interpreter);
  throw new ModelbenchError("python.missing", message, { path: interpreter, remedy: t("Run: {0}", command) });
}
