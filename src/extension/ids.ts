import type { ModelRef, StoreId } from "./services";
import type { LoadedNode } from "./tree/loadedRow";
import type { TrashNode } from "./tree/trashRow";
import type { MoreNode, TreeNode } from "./tree/treeModel";

/**
 * What a command acts on: a tree node or a reference from a page or another command; `"selection"` comes from
 * the tree's key bindings; nothing means that the command asks.
 */
export type Target = TreeNode | ModelRef | "selection" | undefined;

/** A loaded model that a command acts on; `"selection"` comes from the key bindings of its view. */
export type LoadedTarget = LoadedNode | ModelRef | "selection" | undefined;

/** A file from the Explorer: VS Code's `Uri`, as far as a command reads it. */
export interface FileArgument {
  readonly fsPath: string;
}

/** Files or folders that were dropped: on a store's rows, or anywhere. */
export interface DroppedFiles {
  /** Absolute paths. */
  readonly files: readonly string[];
  /** Where they go; asked for when several homes are open and this is left out. */
  readonly store?: StoreId;
}

/** What an import starts from: a file of the Explorer, a row of the store it goes to, or what was dropped. */
export type ImportArgument = FileArgument | TreeNode | DroppedFiles;

/** Every command of the extension with its arguments; the manifest and the handlers are held equal to this. */
export interface Commands {
  "modelbench.openModel": [target?: Target | LoadedNode];
  "modelbench.openModelYaml": [target?: Target];
  "modelbench.testModel": [target?: Target];
  "modelbench.openInNetron": [target?: Target];
  "modelbench.loadModel": [target?: Target | LoadedNode];
  "modelbench.unloadModel": [target?: LoadedTarget, selected?: readonly LoadedNode[]];
  "modelbench.restartModel": [target?: LoadedTarget, selected?: readonly LoadedNode[]];
  "modelbench.selectDevice": [target?: Target | LoadedNode];
  "modelbench.unloadAllModels": [];
  "modelbench.allowedCode": [];
  "modelbench.selectInterpreter": [];
  "modelbench.saveModel": [file?: FileArgument];
  /** The same of the file whose menu it is in, under the name that fits there. */
  "modelbench.saveAsModel": [file?: FileArgument];
  "modelbench.saveObject": [file?: FileArgument];
  "modelbench.lookIntoArchive": [file?: FileArgument];
  "modelbench.importModel": [from?: ImportArgument, selected?: readonly FileArgument[]];
  "modelbench.exportModel": [target?: Target, selected?: readonly TreeNode[]];
  "modelbench.convertToSafetensors": [from?: Target | FileArgument];
  "modelbench.convertToMessagePack": [from?: Target | FileArgument];
  /** A row of Source Control, or the URI of a file: what VS Code hands over. */
  "modelbench.showWhatChanged": [change?: unknown];
  "modelbench.openCommit": [target?: Target];
  "modelbench.copyModel": [target?: Target];
  "modelbench.selectForCompare": [target?: Target | FileArgument];
  "modelbench.compareWithSelected": [target?: Target | FileArgument];
  "modelbench.compareWithPrevious": [target?: Target];
  "modelbench.compareSelected": [target?: Target | FileArgument, selected?: readonly (TreeNode | FileArgument)[]];
  "modelbench.editFileMetadata": [file?: FileArgument];
  /** The same of the file whose menu it is in, under the name that fits there. */
  "modelbench.editMetadataInFile": [file?: FileArgument];
  "modelbench.editLabels": [target?: Target];
  "modelbench.editMetadata": [target?: Target];
  "modelbench.editSignatures": [target?: Target];
  "modelbench.cleanUp": [target?: Target, selected?: readonly TreeNode[]];
  "modelbench.checkStore": [target?: Target];
  "modelbench.checkModel": [target?: Target, selected?: readonly TreeNode[]];
  "modelbench.repairModel": [target?: Target, selected?: readonly TreeNode[]];
  "modelbench.deleteModel": [target?: Target, selected?: readonly TreeNode[]];
  "modelbench.undoDelete": [];
  "modelbench.copyTag": [target?: Target, selected?: readonly TreeNode[]];
  "modelbench.copyPath": [target?: Target, selected?: readonly TreeNode[]];
  "modelbench.revealInOs": [target?: Target];
  "modelbench.refresh": [];
  "modelbench.filter": [];
  "modelbench.clearFilter": [];
  "modelbench.sortBy": [];
  "modelbench.groupBy": [];
  "modelbench.showMore": [more: MoreNode];
  "modelbench.pin": [target?: Target, selected?: readonly TreeNode[]];
  "modelbench.unpin": [target?: Target, selected?: readonly TreeNode[]];
  "modelbench.restoreFromTrash": [target?: TrashNode, selected?: readonly TrashNode[]];
  "modelbench.emptyTrash": [];
  "modelbench.openSampleStore": [];
  "modelbench.showMyStore": [];
  "modelbench.chooseStore": [];
  "modelbench.addStore": [];
  "modelbench.removeStore": [target?: Target];
  "modelbench.showLog": [];
}

/** The views this extension contributes. */
export const VIEWS = {
  models: "modelbench.models",
  trash: "modelbench.trash",
  loaded: "modelbench.loaded",
  test: "modelbench.test",
} as const;

/** The `viewType` of the details editor; saved windows name it. */
export const DETAILS_EDITOR = "modelbench.details";

/** The `viewType`s of the editors of model files. */
export const FILE_EDITORS = {
  archive: "modelbench.archive",
  safetensors: "modelbench.safetensors",
  /** Formats that other editors may be preferred for. */
  file: "modelbench.file",
} as const;

/** The context keys that the manifest's `when` clauses read. */
export const CONTEXT_KEYS = {
  modelFolders: "modelbench.modelFolders",
  state: "modelbench.state",
  sampleOpen: "modelbench.sampleOpen",
  loaded: "modelbench.loaded",
  hasNetron: "modelbench.hasNetron",
  filtered: "modelbench.filtered",
  trash: "modelbench.trash",
  modelChanges: "modelbench.modelChanges",
  selectedForCompare: "modelbench.hasSelectionForCompare",
} as const;
