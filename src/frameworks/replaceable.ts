import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { ModelbenchError } from "../base/errors";
import { MODEL_YAML } from "../store/layout";
import { lstatOf, statOf } from "../store/modelFiles";

/**
 * Checks that a file may be written at a place: a link there would be replaced by a file, and what a model was saved with never
 * changes, nor is anything added to it.
 * @param writer what would replace a link, for instance `an edit`
 * @param remedy for a file of a model
 * @throws ModelbenchError `file.access`
 */
export function assertReplaceable(path: string, writer: string, remedy: string): void {
  if (lstatOf(path)?.isSymbolicLink()) {
    const instead = statOf(path) ? `Name ${realpathSync(path)} instead.` : "Name another file.";
    throw refusal(path, `is a link, which ${writer} would replace by a file`, instead);
  }
  // A folder that is missing is told by who writes.
  if (!statOf(dirname(path))?.isDirectory()) return;
  for (let folder = realpathSync(dirname(path)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, MODEL_YAML))) {
      throw refusal(path, `belongs to the model in ${folder}, whose files do not change`, remedy);
    }
    if (folder === dirname(folder)) return;
  }
}

function refusal(path: string, what: string, remedy: string): ModelbenchError {
  return new ModelbenchError("file.access", `${path} ${what}.`, { path, remedy });
}
