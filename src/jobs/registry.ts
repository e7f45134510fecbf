import { archiveLookJob } from "../frameworks/archiveLook";
import { runArchiveLook } from "../frameworks/archiveLookJob";
import { brokenFactsJob, runBrokenFacts } from "../frameworks/brokenFacts";
import { codeFactsJob } from "../frameworks/codeFacts";
import { runCodeFacts } from "../frameworks/codeFactsWork";
import { compareJob, compareTensorsJob } from "../frameworks/compare/compareJobs";
import { runCompare, runCompareTensors } from "../frameworks/compare/compareWork";
import {
  describeContentJob,
  exportSliceJob,
  heatMapJob,
  listTensorsJob,
  readSliceJob,
  sliceTextJob,
  tensorStatisticsJob,
} from "../frameworks/contentJobs";
import {
  runDescribeContent,
  runExportSlice,
  runHeatMap,
  runListTensors,
  runReadSlice,
  runSliceText,
  runTensorStatistics,
} from "../frameworks/contentReading";
import { convertFileJob, previewConversionJob } from "../frameworks/convert/convertJobs";
import { runConvertFile, runPreviewConversion } from "../frameworks/convert/convertWork";
import { draftFilesJob } from "../frameworks/draftedFiles";
import { runDraftFiles } from "../frameworks/draftJob";
import { compareVersionsJob, runCompareVersions } from "../frameworks/installedVersions";
import { describeModelJob, runDescribeModel } from "../frameworks/modelFacts";
import {
  describeGraphJob,
  describeNodeJob,
  listGraphNodesJob,
  listGraphsJob,
  listGraphValuesJob,
} from "../frameworks/onnx/graphJobs";
import {
  runDescribeGraph,
  runDescribeNode,
  runListGraphNodes,
  runListGraphs,
  runListGraphValues,
} from "../frameworks/onnx/graphReading";
import { listInterpretersJob, moduleFolderJob, pythonSetupJob } from "../frameworks/pythonSetupJobs";
import { runListInterpreters, runModuleFolder, runPythonSetup } from "../frameworks/pythonSetupWork";
import { runEditSafetensorsMetadata, runPrefillMetadata } from "../frameworks/safetensorsMetadata";
import { editSafetensorsMetadataJob, prefillMetadataJob } from "../frameworks/safetensorsMetadataJobs";
import { textOfFileJob } from "../frameworks/textJob";
import { runTextOfFile } from "../frameworks/textOfFile";
import { exportModelJob, importArchiveJob, previewArchiveJob } from "../store/archive/archiveJobs";
import { runExportModel } from "../store/archive/exportModel";
import { runImportArchive } from "../store/archive/importArchive";
import { runPreviewArchive } from "../store/archive/previewArchive";
import { listBentosJob, runListBentos } from "../store/bentos";
import { checkStoreJob, runCheckStore } from "../store/checkJob";
import { copyModelJob, runCopyModel } from "../store/copyModelJob";
import { editModelJob, runEditModel } from "../store/editModelJob";
import { listNameJob, runListName } from "../store/listNameJob";
import { readLabelsJob, runReadLabels } from "../store/modelLabels";
import { digestFilesJob, runDigestFiles } from "../store/namedFiles";
import { pickleVerdictsJob } from "../store/pickleVerdicts";
import { runPickleVerdicts } from "../store/pickleVerdictsJob";
import { pinModelJob, runPinModel } from "../store/pins";
import { rememberListingJob, runRememberListing } from "../store/rememberListingJob";
import { runSaveModel, runSaveStaged, saveModelJob, saveStagedJob } from "../store/saveModelJob";
import {
  deleteModelJob,
  emptyTrashJob,
  listTrashJob,
  restoreModelJob,
  runDeleteModel,
  runEmptyTrash,
  runListTrash,
  runRestoreModel,
  runTidyStore,
  tidyStoreJob,
} from "../store/trashJobs";
import { runVerifyModel, verifyModelJob } from "../store/verifyJob";
import { defineJob, type JobRegistry } from "./jobFunction";

/** Every job of the product; one line each. */
export const jobRegistry: JobRegistry = new Map([
  defineJob(importArchiveJob, runImportArchive),
  defineJob(previewArchiveJob, runPreviewArchive),
  defineJob(archiveLookJob, runArchiveLook),
  defineJob(exportModelJob, runExportModel),
  defineJob(saveModelJob, runSaveModel),
  defineJob(saveStagedJob, runSaveStaged),
  defineJob(digestFilesJob, runDigestFiles),
  defineJob(describeModelJob, runDescribeModel),
  defineJob(compareVersionsJob, runCompareVersions),
  defineJob(brokenFactsJob, runBrokenFacts),
  defineJob(draftFilesJob, runDraftFiles),
  defineJob(listNameJob, runListName),
  defineJob(readLabelsJob, runReadLabels),
  defineJob(pickleVerdictsJob, runPickleVerdicts),
  defineJob(rememberListingJob, runRememberListing),
  defineJob(deleteModelJob, runDeleteModel),
  defineJob(restoreModelJob, runRestoreModel),
  defineJob(listTrashJob, runListTrash),
  defineJob(emptyTrashJob, runEmptyTrash),
  defineJob(tidyStoreJob, runTidyStore),
  defineJob(checkStoreJob, runCheckStore),
  defineJob(verifyModelJob, runVerifyModel),
  defineJob(editModelJob, runEditModel),
  defineJob(copyModelJob, runCopyModel),
  defineJob(pinModelJob, runPinModel),
  defineJob(listBentosJob, runListBentos),
  defineJob(describeContentJob, runDescribeContent),
  defineJob(listTensorsJob, runListTensors),
  defineJob(readSliceJob, runReadSlice),
  defineJob(describeGraphJob, runDescribeGraph),
  defineJob(listGraphsJob, runListGraphs),
  defineJob(listGraphNodesJob, runListGraphNodes),
  defineJob(listGraphValuesJob, runListGraphValues),
  defineJob(describeNodeJob, runDescribeNode),
  defineJob(textOfFileJob, runTextOfFile),
  defineJob(compareJob, runCompare),
  defineJob(previewConversionJob, runPreviewConversion),
  defineJob(convertFileJob, runConvertFile),
  defineJob(compareTensorsJob, runCompareTensors),
  defineJob(heatMapJob, runHeatMap),
  defineJob(tensorStatisticsJob, runTensorStatistics),
  defineJob(exportSliceJob, runExportSlice),
  defineJob(sliceTextJob, runSliceText),
  defineJob(editSafetensorsMetadataJob, runEditSafetensorsMetadata),
  defineJob(prefillMetadataJob, runPrefillMetadata),
  defineJob(codeFactsJob, runCodeFacts),
  defineJob(pythonSetupJob, runPythonSetup),
  defineJob(listInterpretersJob, runListInterpreters),
  defineJob(moduleFolderJob, runModuleFolder),
]);
