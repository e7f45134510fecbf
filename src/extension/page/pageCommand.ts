import { commands } from "vscode";
import type { PageCommand } from "../../../webview/protocol/pageCommand";
import type { ModelRef } from "../services";

/** Runs a command that a page asks for; what it asks and how it fails meets the user outside the page. */
export async function runPageCommand(command: PageCommand, { store, tag }: ModelRef): Promise<void> {
  const target = command === "undoDelete" ? [] : [{ store, tag }];
  await commands.executeCommand(`modelbench.${command}`, ...target);
}
