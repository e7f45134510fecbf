import { commands, type ExtensionContext, type TextDocument, Uri, window, workspace } from "vscode";
import type { Log } from "../base/log";
import type { Jobs } from "../base/ports";
import type { MadeObject, ObjectPython, ObjectRequest } from "../runner/objectSaver";

/** A Python file as the user has it before them. */
export interface CodeFile {
  /** Absolute. */
  readonly path: string;
  /** The part of its text that is looked at: names are offered from it. */
  readonly text: string;
  /** Line of the caret in that text, counted from 0. */
  readonly line: number;
}

/** An object to be made, in a Python whose worker is the extension's own. */
export interface ObjectToMake extends Omit<ObjectRequest, "python"> {
  readonly python: Omit<ObjectPython, "worker">;
}

/** The user's own Python code: its files, what is made of its objects, and the commits that it was made from. */
export interface ProjectCode {
  /**
   * The file, or the one in the active editor, written to the disk when it was changed. `undefined` for anything but a
   * Python file on this machine, and when it was not saved.
   */
  read(path: string | undefined): Promise<CodeFile | undefined>;
  /** Absolute folder of the workspace that a file is in; `undefined` = in none. */
  folderOf(path: string): string | undefined;
  /** Runs the user's file; its caller has asked for consent. @throws ModelbenchError as `makeObject` */
  make(request: ObjectToMake, signal: AbortSignal): Promise<MadeObject>;
  /** Shows a commit as the editor shows commits; `false` where it cannot. @param folder absolute, of the working tree */
  openCommit(folder: string, hash: string): Promise<boolean>;
}

/** As much of a file as the host looks through at once. */
const LOOKED_AT = 65_536;

/** What VS Code's own git extension offers; it is not in every version of it. */
const VIEW_COMMIT = "git.viewCommit";

/** The code in this window; what making an object needs is read when one is made for the first time. */
export function projectCode(
  context: Pick<ExtensionContext, "asAbsolutePath">,
  parts: { readonly jobs: Jobs; readonly log: Log },
): ProjectCode {
  return {
    read: readFile,
    folderOf: (path) => workspace.getWorkspaceFolder(Uri.file(path))?.uri.fsPath,
    async make({ python, ...request }, signal) {
      const { makeObject } = await import("../runner/objectSaver");
      const worker = context.asAbsolutePath("dist/python");
      return makeObject({ ...request, python: { ...python, worker } }, parts, signal);
    },
    openCommit,
  };
}

async function readFile(path: string | undefined): Promise<CodeFile | undefined> {
  const active = window.activeTextEditor;
  const editor = path === undefined || active?.document.uri.fsPath === path ? active : undefined;
  const document = editor?.document ?? (path === undefined ? undefined : await opened(path));
  if (document === undefined || document.uri.scheme !== "file" || !/\.py$/i.test(document.fileName)) return undefined;
  if (document.isDirty && !(await document.save())) return undefined;
  const caret = editor ? document.offsetAt(editor.selection.active) : 0;
  const text = document.getText();
  // Around the caret, from the beginning of a line.
  const start = caret < LOOKED_AT / 2 ? 0 : text.indexOf("\n", caret - LOOKED_AT / 2) + 1;
  const line = text.slice(start, caret).split("\n").length - 1;
  return { path: document.uri.fsPath, text: text.slice(start, start + LOOKED_AT), line };
}

async function opened(path: string): Promise<TextDocument | undefined> {
  try {
    return await workspace.openTextDocument(Uri.file(path));
  } catch {
    return undefined;
  }
}

async function openCommit(folder: string, hash: string): Promise<boolean> {
  if (!(await commands.getCommands(true)).includes(VIEW_COMMIT)) return false;
  try {
    await commands.executeCommand(VIEW_COMMIT, Uri.file(folder), hash);
    return true;
  } catch {
    return false;
  }
}
