import { commands } from "vscode";
import { CONTEXT_KEYS } from "./ids";
import type { ComparedSelection, ComparedThing } from "./services";

/** Remembers what was selected for compare for as long as the window is open. */
export class WindowSelection implements ComparedSelection {
  selected: ComparedThing | undefined;

  async select(thing: ComparedThing): Promise<void> {
    this.selected = thing;
    await commands.executeCommand("setContext", CONTEXT_KEYS.selectedForCompare, true);
  }
}
