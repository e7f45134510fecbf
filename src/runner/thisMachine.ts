import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import type { Machine } from "../base/cpuCount";

/** The machine this process runs on. */
export const thisMachine: Machine & { readonly processors: () => number; readonly gpus: () => number } = {
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
  /** Those of NVIDIA that Linux shows; 0 where nobody can tell. */
  gpus: () => {
    gpus ??= countGpus();
    return gpus;
  },
};

/** None comes or goes while a process lives. */
let gpus: number | undefined;

function countGpus(): number {
  try {
    return readdirSync("/dev").filter((name) => /^nvidia[0-9]+$/.test(name)).length;
  } catch {
    return 0;
  }
}
