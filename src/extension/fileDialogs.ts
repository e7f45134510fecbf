import { homedir } from "node:os";
import { Uri, window, workspace } from "vscode";
import type { Ui } from "./services";

/** The dialogs of VS Code that choose files and folders. */
export const fileDialogs: Pick<Ui, "pickFiles" | "pickTarget" | "pickFolder"> = {
  async pickFiles({ title, action, many, filters }) {
    const chosen = await window.showOpenDialog({
      title,
      openLabel: action,
      canSelectMany: many,
      filters: dialogFilters(filters),
    });
    return chosen?.map((uri) => uri.fsPath);
  },
  async pickTarget({ title, action, folder, fileName, filters }) {
    const place = folder === undefined ? defaultFolder() : Uri.file(folder);
    const chosen = await window.showSaveDialog({
      title,
      saveLabel: action,
      defaultUri: Uri.joinPath(place, fileName),
      filters: dialogFilters(filters),
    });
    return chosen?.fsPath;
  },
  async pickFolder({ title, action }) {
    const [chosen] =
      (await window.showOpenDialog({
        title,
        openLabel: action,
        canSelectFiles: false,
        canSelectFolders: true,
        defaultUri: defaultFolder(),
      })) ?? [];
    return chosen?.fsPath;
  },
};

function defaultFolder(): Uri {
  return workspace.workspaceFolders?.[0]?.uri ?? Uri.file(homedir());
}

function dialogFilters(filters: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(filters).map(([label, extensions]) => [label, [...extensions]]));
}
