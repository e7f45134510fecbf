import { type Uri, ViewColumn, window } from "vscode";
import type { PageServices, SaveFormInitial, SaveFormValues } from "../services";
import { noHandlers } from "./noHandlers";
import { saveHandlers, saveSeed } from "./saveHandlers";
import { WebviewPage } from "./webviewPage";

/** The save form's `viewType`; it is not restored with the window. */
const SAVE_EDITOR = "modelbench.save";

/** Shows the form and answers with what was entered, or `undefined` when it was closed. */
export async function showSaveForm(
  initial: SaveFormInitial,
  framework: string,
  files: readonly { readonly path: string; readonly bytes: number }[],
  { t }: Pick<PageServices, "t">,
  extension: Uri,
): Promise<SaveFormValues | undefined> {
  const panel = window.createWebviewPanel(SAVE_EDITOR, t("Save Model"), ViewColumn.Active);
  const seed = saveSeed(initial, framework, files);
  return new Promise((resolve) => {
    const handlers = {
      ...noHandlers,
      ...saveHandlers(t, initial.check, (values) => {
        resolve(values);
        panel.dispose();
      }),
    };
    const page = new WebviewPage(panel.webview, extension, handlers, () => ({
      subject: { kind: "save", seed },
      section: "",
      edit: null,
    }));
    panel.onDidDispose(() => {
      page.dispose();
      resolve(undefined);
    });
  });
}
