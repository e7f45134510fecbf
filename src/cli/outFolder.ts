import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { ModelbenchError } from "../base/errors";
import { statOf } from "../store/modelFiles";

/** Refuses a place that cannot become a folder, before anything is computed. @throws ModelbenchError `usage` */
export function checkOutFolder(folder: string): void {
  missingLevels(folder);
}

/**
 * Makes a folder with those above it, level by level: Node's own way of doing that never ends below `/proc`.
 * @throws ModelbenchError `usage`, `file.access`
 */
export function makeOutFolder(folder: string): void {
  for (const level of missingLevels(folder)) {
    try {
      mkdirSync(level);
    } catch (cause) {
      // Another run may have made it meanwhile.
      if (statOf(level)?.isDirectory()) continue;
      throw new ModelbenchError("file.access", `The folder ${level} cannot be made.`, { path: level, cause });
    }
  }
}

/** What of a path is not there yet, outermost first. */
function missingLevels(folder: string): string[] {
  const missing: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    const found = statOf(at);
    if (found?.isDirectory()) return missing;
    if (found) {
      throw new ModelbenchError("usage", `--out takes a folder; ${at} is none.`, {
        path: at,
        remedy: "Name another one; it is made where it is not there.",
      });
    }
    missing.unshift(at);
  }
}
