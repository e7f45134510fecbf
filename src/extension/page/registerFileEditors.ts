import { type ExtensionContext, window } from "vscode";
import type { Scope } from "../../base/scope";
import { FILE_EDITORS } from "../ids";
import type { PageServices } from "../services";
import type { FileEditors } from "./fileEditors";

/** Registers the editors of model files. Their code is read when the first of them is opened. */
export function registerFileEditors(scope: Scope, services: PageServices, context: ExtensionContext): void {
  let made: Promise<FileEditors> | undefined;
  const editors = (): Promise<FileEditors> => {
    made ??= import("./pages").then(({ FileEditors: Made }) => scope.own(new Made(services, context)));
    return made;
  };
  const provider: Pick<FileEditors, "openCustomDocument" | "resolveCustomEditor"> = {
    openCustomDocument: async (uri) => (await editors()).openCustomDocument(uri),
    resolveCustomEditor: async (document, panel) => (await editors()).resolveCustomEditor(document, panel),
  };
  for (const viewType of Object.values(FILE_EDITORS)) {
    scope.own(window.registerCustomEditorProvider(viewType, provider, { supportsMultipleEditorsPerDocument: true }));
  }
}
