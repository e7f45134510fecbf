import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import type { Machine } from "../base/cpuCount";

/** The machine this process runs on. */
export const thisMachine: Machine & { readonly processors: () => number } = {
  read: (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  },
  parallelism: availableParallelism,
  /** All that the machine has, allowed to this process or not. */
  processors: () => Math.max(1, cpus().length),
};
