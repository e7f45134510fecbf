import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import {
  commands,
  EventEmitter,
  type Extension,
  type ExtensionContext,
  extensions,
  FileSystemError,
  type TextDocumentContentProvider,
  Uri,
  workspace,
} from "vscode";
import { ModelbenchError, toWireError } from "../base/errors";
import type { Disposable, Scope } from "../base/scope";
import { textOfFileJob } from "../frameworks/textJob";
import { CONTEXT_KEYS } from "./ids";
import { FolderWatch } from "./page/folderWatch";
import { ForeignFiles } from "./page/foreignFiles";
import type { Localize, ModelChanges, PageServices } from "./services";

/** The scheme of documents that hold what `modelbench inspect --text` says of another document's file. */
const TEXT_SCHEME = "modelbench-text";

/** Files whose changes are shown as text. */
const MODEL_FILE = /\.(onnx|safetensors|msgpack|pkl|pickle|joblib|npy|npz|pt|pth|bentomodel)$/i;

/** What of the git extension's API is used. */
interface GitApi {
  toGitUri(uri: Uri, ref: string): Uri;
  readonly repositories: readonly GitRepository[];
  readonly onDidOpenRepository: (listener: (repository: GitRepository) => void) => Disposable;
}

interface GitRepository {
  readonly state: {
    readonly workingTreeChanges: readonly { readonly uri: Uri }[];
    readonly indexChanges: readonly { readonly uri: Uri }[];
    readonly onDidChange: (listener: () => void) => Disposable;
  };
}

/** Gives model files a text form for VS Code's diff editor, and opens it for what Source Control shows as changed. */
export function registerModelTexts(
  scope: Scope,
  { jobs, t }: Pick<PageServices, "jobs" | "t">,
  context: ExtensionContext,
): ModelChanges {
  const copies = new ForeignFiles(Uri.joinPath(context.globalStorageUri, "texts").fsPath, t);
  const texts = scope.own(new ModelTexts(jobs, copies));
  scope.own(workspace.registerTextDocumentContentProvider(TEXT_SCHEME, texts));
  scope.own(workspace.onDidCloseTextDocument(({ uri }) => texts.closed(uri)));
  void followChanges(scope);
  return { show: (change) => showChange(change, t) };
}

class ModelTexts implements TextDocumentContentProvider, Disposable {
  readonly #changed = new EventEmitter<Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #jobs: PageServices["jobs"];
  readonly #copies: ForeignFiles;
  /** Of documents that are open, by their URI. */
  readonly #watches = new Map<string, FolderWatch>();

  constructor(jobs: PageServices["jobs"], copies: ForeignFiles) {
    this.#jobs = jobs;
    this.#copies = copies;
  }

  /** Never throws: why there is no text is the text. What is not there, as before it was added, is empty. */
  async provideTextDocumentContent(uri: Uri): Promise<string> {
    const original = Uri.parse(uri.query, true);
    try {
      return original.scheme === "file" ? await this.#ofFile(uri, original.fsPath) : await this.#ofOther(original);
    } catch (error) {
      if (isNotFound(error)) return "";
      return `${toWireError(error).message}\n`;
    }
  }

  closed(uri: Uri): void {
    this.#watches.get(uri.toString())?.dispose();
    this.#watches.delete(uri.toString());
  }

  dispose(): void {
    for (const watch of this.#watches.values()) watch.dispose();
    this.#watches.clear();
    this.#changed.dispose();
  }

  async #ofFile(uri: Uri, path: string): Promise<string> {
    const key = uri.toString();
    const tell = (): void => this.#changed.fire(uri);
    if (!this.#watches.has(key)) this.#watches.set(key, new FolderWatch(() => dirname(path), tell, true));
    return existsSync(path) ? this.#jobs.run(textOfFileJob, { path }) : "";
  }

  async #ofOther(uri: Uri): Promise<string> {
    const name = basename(uri.path);
    const size = async (): Promise<number> => (await workspace.fs.stat(uri)).size;
    // Before the copy, whose failures have lost what they were.
    await size();
    const copy = await this.#copies.copy({ name, label: uri.path, size, read: async () => workspace.fs.readFile(uri) });
    try {
      return await this.#jobs.run(textOfFileJob, { path: copy.path });
    } finally {
      await copy.dispose();
    }
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof FileSystemError && error.code === "FileNotFound";
}

/** The ending makes it plain text to every language. */
function textUri(original: Uri): Uri {
  return Uri.from({ scheme: TEXT_SCHEME, path: `${original.path}.txt`, query: original.toString() });
}

/** Opens the two texts of a change beside each other. */
async function showChange(change: unknown, t: Localize): Promise<void> {
  const { left, right, name } = await sidesOf(change, t);
  await commands.executeCommand("vscode.diff", textUri(left), textUri(right), t("{0} (What Changed)", name));
}

/** Of a row of Source Control what it would show itself; of a file its last commit and what is there now. */
async function sidesOf(change: unknown, t: Localize): Promise<{ left: Uri; right: Uri; name: string }> {
  const uri = uriOf(change);
  if (!uri || !MODEL_FILE.test(uri.path)) {
    throw new ModelbenchError("usage", t("Choose a changed model file in Source Control."));
  }
  const name = basename(uri.path);
  const shown = diffOf(change);
  if (shown) return { ...shown, name };
  const git = await gitApi();
  if (!git) throw new ModelbenchError("usage", t("git is not available in this window."));
  const file = Uri.file(uri.fsPath);
  return { left: git.toGitUri(file, "HEAD"), right: file, name };
}

function uriOf(change: unknown): Uri | undefined {
  if (change instanceof Uri) return change;
  const isRow = typeof change === "object" && change !== null && "resourceUri" in change;
  return isRow && change.resourceUri instanceof Uri ? change.resourceUri : undefined;
}

/** The two sides that a click on the row compares. */
function diffOf(change: unknown): { readonly left: Uri; readonly right: Uri } | undefined {
  if (typeof change !== "object" || change === null || !("command" in change)) return undefined;
  const { command } = change;
  if (typeof command !== "object" || command === null || !("arguments" in command)) return undefined;
  const [left, right] = Array.isArray(command.arguments) ? command.arguments : [];
  return left instanceof Uri && right instanceof Uri ? { left, right } : undefined;
}

/** The git extension's API; `undefined` without that extension, without git, or where it is switched off. */
async function gitApi(): Promise<GitApi | undefined> {
  try {
    const git: Extension<{ getAPI(version: 1): GitApi }> | undefined = extensions.getExtension("vscode.git");
    return git && (await git.activate()).getAPI(1);
  } catch {
    return undefined;
  }
}

/** The menu of Source Control cannot tell files apart: its entry is there while a model file has changed. */
async function followChanges(scope: Scope): Promise<void> {
  const git = await gitApi();
  if (!git) return;
  const tell = (): void => {
    const has = git.repositories.some(({ state }) =>
      [...state.workingTreeChanges, ...state.indexChanges].some(({ uri }) => MODEL_FILE.test(uri.path)),
    );
    void commands.executeCommand("setContext", CONTEXT_KEYS.modelChanges, has);
  };
  const follow = (repository: GitRepository): void => {
    scope.own(repository.state.onDidChange(tell));
    tell();
  };
  git.repositories.forEach(follow);
  scope.own(git.onDidOpenRepository(follow));
}
