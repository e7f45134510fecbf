import { addStore } from "./commands/addStore";
import { allowedCode } from "./commands/allowedCode";
import { checkModel, checkStore, repairModel } from "./commands/checkStore";
import { chooseStore } from "./commands/chooseStore";
import { cleanUp } from "./commands/cleanUp";
import { compareSelected, compareWithPrevious, compareWithSelected, selectForCompare } from "./commands/compareModels";
import { convertToMessagePack, convertToSafetensors } from "./commands/convertWeights";
import { copyModel } from "./commands/copyModel";
import { copyPath } from "./commands/copyPath";
import { copyTag } from "./commands/copyTag";
import { deleteModel } from "./commands/deleteModel";
import { editFileMetadata } from "./commands/editFileMetadata";
import { editLabels, editMetadata, editSignatures } from "./commands/editModel";
import { emptyTrash } from "./commands/emptyTrash";
import { exportModel } from "./commands/exportModel";
import { clearFilter, filter } from "./commands/filter";
import { groupBy } from "./commands/groupBy";
import { importModel } from "./commands/importModel";
import { loadModel, restartModel } from "./commands/loadModel";
import { lookIntoArchive } from "./commands/lookIntoArchive";
import { openCommit } from "./commands/openCommit";
import { openInNetron } from "./commands/openInNetron";
import { openModel } from "./commands/openModel";
import { openModelYaml } from "./commands/openModelYaml";
import { openSampleStore } from "./commands/openSampleStore";
import { pin, unpin } from "./commands/pin";
import { refresh } from "./commands/refresh";
import { removeStore } from "./commands/removeStore";
import { restoreFromTrash } from "./commands/restoreFromTrash";
import { revealInOs } from "./commands/revealInOs";
import { saveModel } from "./commands/saveModel";
import { saveObject } from "./commands/saveObject";
import { selectDevice } from "./commands/selectDevice";
import { selectInterpreter } from "./commands/selectInterpreter";
import { showLog } from "./commands/showLog";
import { showMore } from "./commands/showMore";
import { showMyStore } from "./commands/showMyStore";
import { showWhatChanged } from "./commands/showWhatChanged";
import { sortBy } from "./commands/sortBy";
import { testModel } from "./commands/testModel";
import { undoDelete } from "./commands/undoDelete";
import { unloadAllModels, unloadModel } from "./commands/unloadModel";
import type { Commands } from "./ids";
import type { Services } from "./services";

/** What every command does; a missing or mistyped entry does not compile. */
export type CommandTable = {
  readonly [K in keyof Commands]: (services: Services, ...args: Commands[K]) => Promise<void>;
};

/** The table of contents of the extension. */
export const commandTable: CommandTable = {
  "modelbench.openModel": openModel,
  "modelbench.openModelYaml": openModelYaml,
  "modelbench.testModel": testModel,
  "modelbench.openInNetron": openInNetron,
  "modelbench.loadModel": loadModel,
  "modelbench.unloadModel": unloadModel,
  "modelbench.restartModel": restartModel,
  "modelbench.selectDevice": selectDevice,
  "modelbench.unloadAllModels": unloadAllModels,
  "modelbench.allowedCode": allowedCode,
  "modelbench.selectInterpreter": selectInterpreter,
  "modelbench.saveModel": saveModel,
  "modelbench.saveAsModel": saveModel,
  "modelbench.saveObject": saveObject,
  "modelbench.lookIntoArchive": lookIntoArchive,
  "modelbench.importModel": importModel,
  "modelbench.exportModel": exportModel,
  "modelbench.convertToSafetensors": convertToSafetensors,
  "modelbench.convertToMessagePack": convertToMessagePack,
  "modelbench.editFileMetadata": editFileMetadata,
  "modelbench.editMetadataInFile": editFileMetadata,
  "modelbench.showWhatChanged": showWhatChanged,
  "modelbench.openCommit": openCommit,
  "modelbench.copyModel": copyModel,
  "modelbench.selectForCompare": selectForCompare,
  "modelbench.compareWithSelected": compareWithSelected,
  "modelbench.compareWithPrevious": compareWithPrevious,
  "modelbench.compareSelected": compareSelected,
  "modelbench.editLabels": editLabels,
  "modelbench.editMetadata": editMetadata,
  "modelbench.editSignatures": editSignatures,
  "modelbench.cleanUp": cleanUp,
  "modelbench.checkStore": checkStore,
  "modelbench.checkModel": checkModel,
  "modelbench.repairModel": repairModel,
  "modelbench.deleteModel": deleteModel,
  "modelbench.undoDelete": undoDelete,
  "modelbench.copyTag": copyTag,
  "modelbench.copyPath": copyPath,
  "modelbench.revealInOs": revealInOs,
  "modelbench.refresh": refresh,
  "modelbench.filter": filter,
  "modelbench.clearFilter": clearFilter,
  "modelbench.sortBy": sortBy,
  "modelbench.groupBy": groupBy,
  "modelbench.showMore": showMore,
  "modelbench.pin": pin,
  "modelbench.unpin": unpin,
  "modelbench.restoreFromTrash": restoreFromTrash,
  "modelbench.emptyTrash": emptyTrash,
  "modelbench.openSampleStore": openSampleStore,
  "modelbench.showMyStore": showMyStore,
  "modelbench.chooseStore": chooseStore,
  "modelbench.addStore": addStore,
  "modelbench.removeStore": removeStore,
  "modelbench.showLog": showLog,
};
