import { commands, extensions, Uri } from "vscode";
import type { Scope } from "../base/scope";
import { CONTEXT_KEYS } from "./ids";

/** Another extension that draws a model's graph. */
export interface Netron {
  isThere(): boolean;
  /** Opens a file, by its absolute path, in it. */
  open(path: string): Promise<void>;
}

/**
 * The extension that draws models with Netron, and its command, which takes the file's `Uri`.
 * @see vtemplier/vscode-netron 0.0.5 package.json, src/extension.ts
 */
const NETRON = { extension: "vincent-templier.vscode-netron", command: "vscode-netron.open" } as const;

/** Follows whether the extension is there, so that it is offered only then. */
export function followNetron(scope: Scope): Netron {
  const isThere = (): boolean => extensions.getExtension(NETRON.extension) !== undefined;
  const tell = (): void => void commands.executeCommand("setContext", CONTEXT_KEYS.hasNetron, isThere());
  scope.own(extensions.onDidChange(tell));
  tell();
  return {
    isThere,
    open: async (path) => void (await commands.executeCommand(NETRON.command, Uri.file(path))),
  };
}
