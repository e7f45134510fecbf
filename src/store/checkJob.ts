import type { JobKey, JobOptions } from "../base/ports";
import { type CheckReport, checkStore } from "./check";
import { nodeFiles } from "./fileLayer";
import { layoutOf } from "./layout";
import { paced } from "./pace";
import { repairProblems } from "./repair";

/** What is checked, and whether what is found is mended. */
export interface CheckInput {
  readonly home: string;
  /** `name` or `name:version` each; the whole store when left out. */
  readonly tags?: readonly string[];
  readonly repair?: boolean;
  /** Paths of the problems that are mended; all when left out. */
  readonly only?: readonly string[];
}

/** Looks for damage, reading every byte, and mends it if that is asked for. */
export const checkStoreJob: JobKey<CheckInput, CheckReport> = { name: "store.check" };

/** The work behind `checkStoreJob`. A repair that fails is told in the report. @throws ModelbenchError `tag.invalid`,
 *  `store.access` when `models/` cannot be read, `cancelled` */
export async function runCheckStore({ home, tags, repair, only }: CheckInput, options: JobOptions) {
  const parts = { layout: layoutOf(home), files: nodeFiles, now: Date.now };
  const report = await paced(checkStore({ ...parts, tags }), undefined, options);
  if (!repair) return report;
  const { models, problems } = await repairProblems(parts, report, only);
  return { models, problems };
}
