import { type Extension, extensions, type Uri, workspace } from "vscode";
import type { NamedInterpreter } from "../../frameworks/pythonSetupJobs";

/** How long another extension may think about it. */
const PATIENCE_MS = 1_000;

/** The part of the API of `ms-python.python` that is asked. @see https://www.npmjs.com/package/@vscode/python-extension */
interface PythonApi {
  readonly environments?: {
    getActiveEnvironmentPath?(resource?: Uri): { readonly id: string; readonly path: string };
    readonly known?: readonly { readonly id: string; readonly executable?: { readonly uri?: Uri } }[];
  };
}

/** The part of the API of `ms-python.vscode-python-envs` that is asked. */
interface EnvironmentsApi {
  getEnvironment?(scope: Uri | undefined): Promise<
    | {
        readonly execInfo?: { readonly run?: { readonly executable?: string } };
      }
    | undefined
  >;
}

/**
 * The interpreters that the two Python extensions use for this window. Neither is activated to ask it, and neither is
 * asked to look an environment up, which would start the interpreter.
 */
export async function chosenByExtensions(): Promise<readonly NamedInterpreter[]> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const asked = [
    { by: "Python Environments", path: () => ofEnvironments(active("ms-python.vscode-python-envs"), folder) },
    { by: "Python", path: async () => ofPython(active("ms-python.python"), folder) },
  ];
  const found = await Promise.all(asked.map(async ({ by, path }) => ({ by, path: await inTime(path()) })));
  return found.flatMap(({ by, path }) => (path === undefined ? [] : [{ by, path }]));
}

/** Calls back when one of them chose another one; nothing for those that are not running. */
export function onDidChooseEnvironment(tell: () => void): { dispose(): void } {
  type Events = {
    readonly environments?: { onDidChangeActiveEnvironmentPath?(tell: () => void): { dispose(): void } };
  };
  const events = active<Events>("ms-python.python")?.environments;
  return events?.onDidChangeActiveEnvironmentPath?.(tell) ?? { dispose: () => undefined };
}

function active<Api>(id: string): Api | undefined {
  const extension: Extension<Api> | undefined = extensions.getExtension<Api>(id);
  return extension?.isActive ? extension.exports : undefined;
}

function ofPython(api: PythonApi | undefined, folder: Uri | undefined): string | undefined {
  const chosen = api?.environments?.getActiveEnvironmentPath?.(folder);
  const known = api?.environments?.known?.find(({ id }) => id === chosen?.id)?.executable?.uri?.fsPath;
  return known ?? chosen?.path;
}

async function ofEnvironments(api: EnvironmentsApi | undefined, folder: Uri | undefined): Promise<string | undefined> {
  return (await api?.getEnvironment?.(folder))?.execInfo?.run?.executable;
}

/** What fails or takes too long chose nothing. */
async function inTime(path: Promise<string | undefined>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  const found = await Promise.race([path.catch(() => undefined), late]);
  clearTimeout(timer);
  return found && /[/\\]/.test(found) ? found : undefined;
}
