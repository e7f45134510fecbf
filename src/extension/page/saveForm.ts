import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { type Uri, ViewColumn, window } from "vscode";
import type { SaveSeed } from "../../../webview/protocol/views";
import type { PageServices, SaveFormInitial, SaveFormValues } from "../services";
import { noHandlers } from "./noHandlers";
import { saveHandlers, saveSeed } from "./saveHandlers";
import { WebviewPage } from "./webviewPage";

/** The save form's `viewType`; it is not restored with the window. */
const SAVE_EDITOR = "modelbench.save";

/** Shows the form and answers with what was entered, or `undefined` when it was closed. */
export async function showSaveForm(
  initial: SaveFormInitial,
  { t }: Pick<PageServices, "t">,
  extension: Uri,
): Promise<SaveFormValues | undefined> {
  // Before there is a panel: a file that has gone would leave an empty one, and one that is closed takes no page.
  const seed = saveSeed(t, initial, await filesOf(initial));
  const panel = window.createWebviewPanel(SAVE_EDITOR, t("Save Model"), ViewColumn.Active);
  return new Promise((resolve) => {
    const handlers = {
      ...noHandlers,
      ...saveHandlers(t, initial, filesOf, (values) => {
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

function filesOf({ files }: SaveFormInitial): Promise<SaveSeed["files"]> {
  return Promise.all(files.map(async (path) => ({ path: basename(path), bytes: (await stat(path)).size })));
}
