import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { JobKey } from "../base/ports";
import { entriesOf } from "../store/modelFiles";
import { importFolders, normalName, realPath } from "./distInfo";

/** A package as it was when a model was made, beside what there is now. */
export interface ComparedVersion {
  readonly name: string;
  readonly saved: string;
  /** `null` = it is not installed, or nobody can say. */
  readonly now: string | null;
}

/** Which versions are compared with those of which interpreter. */
export interface VersionsToCompare {
  readonly saved: readonly (readonly [string, string])[];
  readonly interpreter: string;
}

/** Compares versions as `comparedVersions` does. */
export const compareVersionsJob: JobKey<VersionsToCompare, readonly ComparedVersion[]> = { name: "compareVersions" };

/** The work behind `compareVersionsJob`. */
export async function runCompareVersions({ saved, interpreter }: VersionsToCompare) {
  return comparedVersions(saved, interpreter);
}

/**
 * Compares versions with those that an interpreter would run with, read from its folders; nothing is started.
 * @param saved versions by package, Python's own as `python`
 * @param interpreter absolute
 */
function comparedVersions(saved: VersionsToCompare["saved"], interpreter: string): ComparedVersion[] {
  const installed = installedVersions(interpreter);
  const python = pythonVersionOf(interpreter);
  return [...saved].map(([name, version]) => {
    if (name !== "python") return { name, saved: version, now: installed.get(normalName(name)) ?? null };
    // A folder's name says no more than 3.11, which is all that can differ then.
    return { name, saved: version, now: python && version.startsWith(`${python}.`) ? version : (python ?? null) };
  });
}

/** Versions of the distributions that an interpreter finds, by normalised name. */
function installedVersions(interpreter: string): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const folder of importFolders(interpreter)) {
    for (const entry of entriesOf(folder)) {
      const [, name, version] = /^(.+?)-(\d[^-]*)(?:-.*)?\.(?:dist|egg)-info$/.exec(entry) ?? [];
      if (name === undefined || version === undefined) continue;
      // The nearest folder wins, as it does for Python.
      if (!versions.has(normalName(name))) versions.set(normalName(name), version);
    }
  }
  return versions;
}

/** `3.11.7` of a virtual environment that says so, otherwise `3.11`. */
function pythonVersionOf(interpreter: string): string | undefined {
  for (const folder of [dirname(interpreter), dirname(dirname(interpreter))]) {
    const found = /^version(?:_info)?[ \t]*=[ \t]*(\d+\.\d+(?:\.\d+)?)/im.exec(textOf(join(folder, "pyvenv.cfg")));
    if (found) return found[1];
  }
  return /^python(\d+\.\d+)/i.exec(basename(realPath(interpreter)))?.[1];
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
