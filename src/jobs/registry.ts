import { draftFilesJob, runDraftFiles } from "../frameworks/draftJob";
import { describeModelJob, runDescribeModel } from "../frameworks/modelFacts";
import { exportModelJob, importArchiveJob } from "../store/archive/archiveJobs";
import { runExportModel } from "../store/archive/exportModel";
import { runImportArchive } from "../store/archive/importArchive";
import { runSaveModel, saveModelJob } from "../store/saveModelJob";
import { defineJob, type JobRegistry } from "./jobFunction";

/** Every job of the product; one line each. */
export const jobRegistry: JobRegistry = new Map([
  defineJob(importArchiveJob, runImportArchive),
  defineJob(exportModelJob, runExportModel),
  defineJob(saveModelJob, runSaveModel),
  defineJob(describeModelJob, runDescribeModel),
  defineJob(draftFilesJob, runDraftFiles),
]);
