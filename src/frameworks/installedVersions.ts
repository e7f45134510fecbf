import type { JobKey } from "../base/ports";
import { entriesOf } from "../store/modelFiles";
import { importFolders, normalName, pythonVersionOf } from "./distInfo";

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
