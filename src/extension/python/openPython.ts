import { homedir } from "node:os";
import { ConfigurationTarget, type ExtensionContext, extensions, workspace } from "vscode";
import type { Jobs } from "../../base/ports";
import type { Scope } from "../../base/scope";
import { insideFolder } from "../../formats/insideFolder";
import type { Localize } from "../services";
import { readSettings } from "../settings";
import { Consents } from "./consent";
import { MachineMark } from "./machineMark";
import { chosenByExtensions, onDidChooseEnvironment } from "./pythonExtensions";
import { PythonSetup } from "./pythonSetup";

/** What models that need Python are run by: whose code may run, and which Python runs it. Reads nothing yet. */
export function openPython(
  owner: Scope,
  context: Pick<ExtensionContext, "globalState" | "globalStorageUri">,
  jobs: Jobs,
  t: Localize,
): { readonly consents: Consents; readonly python: PythonSetup } {
  const consents = owner.own(new Consents(context.globalState, new MachineMark(context.globalStorageUri.fsPath)));
  let isFollowed = false;
  const python: PythonSetup = owner.own(
    new PythonSetup({
      jobs,
      window: () => ({
        isTrusted: workspace.isTrusted,
        settings: readSettings().python,
        folders: localFolders(),
        environment: process.env,
        userHome: homedir(),
      }),
      chosen: () => {
        if (!isFollowed) followChoices(owner, () => python.tellChanged());
        isFollowed = true;
        return chosenByExtensions();
      },
      writeInterpreter,
      addPath,
      t,
    }),
  );
  owner.own(
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("modelbench.python")) python.tellChanged();
    }),
  );
  owner.own(workspace.onDidChangeWorkspaceFolders(() => python.tellChanged()));
  return { consents, python };
}

/** What is open in this window, as a consent names it. */
export function workspaceName(): string {
  const { workspaceFile, workspaceFolders } = workspace;
  return (workspaceFile ?? workspaceFolders?.[0]?.uri)?.toString() ?? "";
}

/** Absolute folders of the workspace on this machine. */
export function localFolders(): string[] {
  return (workspace.workspaceFolders ?? []).flatMap(({ uri }) => (uri.scheme === "file" ? [uri.fsPath] : []));
}

/** An extension that starts later is heard of when the list of extensions changes. */
function followChoices(owner: Scope, tell: () => void): void {
  let choice = onDidChooseEnvironment(tell);
  const list = extensions.onDidChange(() => {
    choice.dispose();
    choice = onDidChooseEnvironment(tell);
    tell();
  });
  owner.own({
    dispose() {
      choice.dispose();
      list.dispose();
    },
  });
}

/** Of the workspace where there is one: a project has its own Python. */
function target(): ConfigurationTarget {
  const isWorkspace = workspace.workspaceFile !== undefined || (workspace.workspaceFolders?.length ?? 0) > 0;
  return isWorkspace ? ConfigurationTarget.Workspace : ConfigurationTarget.Global;
}

async function writeInterpreter(path: string | undefined): Promise<void> {
  const settings = workspace.getConfiguration("modelbench");
  const at = target();
  // An empty value in the workspace is what keeps the user's own value from counting there.
  const isHidden = at === ConfigurationTarget.Workspace && settings.inspect("python.interpreter")?.globalValue;
  await settings.update("python.interpreter", path ?? (isHidden ? "" : undefined), at);
}

async function addPath(folder: string): Promise<void> {
  const settings = workspace.getConfiguration("modelbench");
  const known = settings.get<unknown>("python.paths");
  const paths = Array.isArray(known) ? known : [];
  await settings.update("python.paths", [...paths, written(folder)], target());
}

/** As short and as portable as it can be. */
function written(folder: string): string {
  const [first] = localFolders();
  const inside = first === undefined ? undefined : insideFolder(first, folder);
  return inside === undefined ? folder : `\${workspaceFolder}/${inside}`;
}
