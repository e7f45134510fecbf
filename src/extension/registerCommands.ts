import { commands } from "vscode";
import type { Scope } from "../base/scope";
import { commandTable } from "./commandTable";
import { guard } from "./guard";
import type { Commands } from "./ids";
import type { Services } from "./services";

/** Registers every command of the table; each meets the user's failures in `guard` and nowhere else. */
export function registerCommands(scope: Scope, services: Services): void {
  const register = <K extends keyof Commands>(id: K): void => {
    const run = (...args: Commands[K]) => guard(id, services, () => commandTable[id](services, ...args));
    scope.own(commands.registerCommand(id, run));
  };
  for (const id of Object.keys(commandTable) as (keyof Commands)[]) register(id);
}
