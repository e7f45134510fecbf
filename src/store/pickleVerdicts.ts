import type { JobKey } from "../base/ports";
import type { PickleVerdict } from "../formats/pickle/facts";

/** The worst of what was found in the pickles of one version; `null` when it has none, or cannot be read. */
export interface ModelVerdict {
  readonly verdict: PickleVerdict;
  /** Imports that are not known, each counted once a file. */
  readonly unknownImports: number;
}

/** The verdicts of versions, by their folders, in the same order. Files that did not change are not read again. */
export const pickleVerdictsJob: JobKey<{ readonly folders: readonly string[] }, readonly (ModelVerdict | null)[]> = {
  name: "pickle.verdicts",
};
