import { ModelbenchError } from "../base/errors";
import type { JobKey, JobOptions } from "../base/ports";
import { draftFilesJob, runDraftFiles } from "../frameworks/draftJob";
import { exportModelJob, importArchiveJob } from "../store/archive/archiveJobs";
import { runExportModel } from "../store/archive/exportModel";
import { runImportArchive } from "../store/archive/importArchive";
import { runSaveModel, saveModelJob } from "../store/saveModelJob";

/** A job's work, with its types forgotten: inputs come through `defineJob`, which keeps them in step. */
export type JobFunction = (input: unknown, options: JobOptions) => Promise<unknown>;

/** Job name to function: the whole list of what the jobs process can do. */
export type JobRegistry = ReadonlyMap<string, JobFunction>;

/** Ties a key to its function; the key's types are checked here, once. */
export function defineJob<Input, Result>(
  key: JobKey<Input, Result>,
  run: (input: Input, options: JobOptions) => Promise<Result>,
): readonly [string, JobFunction] {
  return [key.name, (input, options) => run(input as Input, options)];
}

/** Every job of the product; one line each. */
export const jobRegistry: JobRegistry = new Map([
  defineJob(importArchiveJob, runImportArchive),
  defineJob(exportModelJob, runExportModel),
  defineJob(saveModelJob, runSaveModel),
  defineJob(draftFilesJob, runDraftFiles),
]);

/** @throws ModelbenchError `internal` for a name nobody registered */
export function jobNamed(registry: JobRegistry, name: string): JobFunction {
  const job = registry.get(name);
  if (!job) throw new ModelbenchError("internal", `There is no job called ${JSON.stringify(name)}.`);
  return job;
}
