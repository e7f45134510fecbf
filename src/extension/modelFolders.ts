import { dirname } from "node:path";
import { commands, type Uri, workspace } from "vscode";
import type { Log } from "../base/log";
import type { Disposable } from "../base/scope";
import { MODEL_YAML } from "../store/layout";
import { CONTEXT_KEYS } from "./ids";

/** Long after the window has settled. */
const DELAY_MS = 5_000;

/** Most folders that the Explorer's menu knows; beyond them a model.yaml itself still has the entry. */
const MAX_FOLDERS = 500;

/**
 * Tells the Explorer's menu which folders of the workspace hold a model.yaml, so that only those offer to be imported.
 * The search runs in a process of VS Code's own.
 */
export function followModelFolders(log: Log): Disposable {
  const folders = new Set<string>();
  const tell = (): void => void commands.executeCommand("setContext", CONTEXT_KEYS.modelFolders, [...folders]);
  const search = async (): Promise<void> => {
    const found = await workspace.findFiles(`**/${MODEL_YAML}`, "**/{node_modules,.git}/**", MAX_FOLDERS);
    for (const { fsPath } of found) folders.add(dirname(fsPath));
    tell();
  };
  const timer = setTimeout(() => {
    search().catch((error) => log.error("Looking for folders with models failed", error));
  }, DELAY_MS).unref();
  const watcher = workspace.createFileSystemWatcher(`**/${MODEL_YAML}`, false, true, false);
  const onCreate = watcher.onDidCreate(({ fsPath }: Uri) => {
    if (folders.size < MAX_FOLDERS) folders.add(dirname(fsPath));
    tell();
  });
  const onDelete = watcher.onDidDelete(({ fsPath }: Uri) => {
    folders.delete(dirname(fsPath));
    tell();
  });
  return {
    dispose() {
      clearTimeout(timer);
      for (const owned of [onCreate, onDelete, watcher]) owned.dispose();
    },
  };
}
