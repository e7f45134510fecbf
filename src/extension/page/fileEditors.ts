import { dirname } from "node:path";
import {
  type CustomDocument,
  type CustomReadonlyEditorProvider,
  commands,
  type ExtensionContext,
  RelativePattern,
  Uri,
  type WebviewPanel,
  workspace,
} from "vscode";
import type { FileCommand } from "../../../webview/protocol/file";
import { type Disposable, Scope } from "../../base/scope";
import type { PageServices } from "../services";
import { contentHandlers } from "./contentHandlers";
import { FileDocument } from "./fileDocument";
import { fileHandlers } from "./fileHandlers";
import { FolderWatch } from "./folderWatch";
import { ForeignFiles } from "./foreignFiles";
import { graphHandlers } from "./graphHandlers";
import { noHandlers } from "./noHandlers";
import { WebviewPage } from "./webviewPage";

/** What the editors need of the extension's context. */
export type EditorContext = Pick<ExtensionContext, "extensionUri" | "globalStorageUri">;

/** A document as VS Code keeps it. */
interface OpenDocument extends CustomDocument {
  readonly file: FileDocument;
}

/** The read-only editors of model files; VS Code keeps one document a file, however many editors show it. */
export class FileEditors implements CustomReadonlyEditorProvider<OpenDocument>, Disposable {
  readonly #services: PageServices;
  readonly #extension: Uri;
  readonly #foreign: ForeignFiles;
  readonly #open = new Set<FileDocument>();

  constructor(services: PageServices, { extensionUri, globalStorageUri }: EditorContext) {
    this.#services = services;
    this.#extension = extensionUri;
    this.#foreign = new ForeignFiles(Uri.joinPath(globalStorageUri, "foreign-files").fsPath, services.t);
    void this.#foreign.sweep();
  }

  async openCustomDocument(uri: Uri): Promise<OpenDocument> {
    const { jobs, settings } = this.#services;
    const path = uri.scheme === "file" ? uri.fsPath : undefined;
    const name = uri.path.slice(uri.path.lastIndexOf("/") + 1);
    const label = uri.with({ query: "", fragment: "" }).toString(true);
    const file = new FileDocument({
      name,
      folder: path === undefined ? label.slice(0, -name.length - 1) : dirname(path),
      path,
      copy: () =>
        this.#foreign.copy({
          name,
          label,
          size: async () => (await workspace.fs.stat(uri)).size,
          read: async () => workspace.fs.readFile(uri),
        }),
      watch: (onChange) => (path === undefined ? watchForeign(uri, name, onChange) : watchFile(path, onChange)),
      jobs,
      limits: () => settings().importLimits,
    });
    this.#open.add(file);
    await file.open();
    const dispose = (): void => {
      this.#open.delete(file);
      void file.dispose();
    };
    return { uri, file, dispose };
  }

  async resolveCustomEditor({ file }: OpenDocument, panel: WebviewPanel): Promise<void> {
    const { jobs, netron, t, ui } = this.#services;
    const scope = new Scope();
    const page: WebviewPage = scope.own(
      new WebviewPage(
        panel.webview,
        this.#extension,
        {
          ...noHandlers,
          ...contentHandlers({
            ref: () => file.ref(),
            jobs,
            ui,
            t,
            progress: (progress) => page.peer.send("content/progress", progress),
          }),
          ...graphHandlers({ ref: () => file.ref(), jobs, netron }),
          ...fileHandlers({ document: file, ui, command: runFileCommand }),
        },
        () => ({ subject: { kind: "file", id: file.id, name: file.name }, section: "", edit: null }),
      ),
    );
    scope.own(
      file.onDidChange((what) => {
        page.peer.send("file/changed", {});
        if (what === "content") page.peer.send("content/changed", {});
      }),
    );
    panel.onDidDispose(() => void scope.dispose());
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#open].map((file) => file.dispose()));
    this.#open.clear();
  }
}

async function runFileCommand(command: FileCommand, path: string): Promise<void> {
  await commands.executeCommand(`modelbench.${command}`, Uri.file(path));
}

function watchFile(path: string, onChange: () => void): Disposable {
  return new FolderWatch(() => dirname(path), onChange, true);
}

function watchForeign(uri: Uri, name: string, onChange: () => void): Disposable {
  const pattern = new RelativePattern(Uri.joinPath(uri, ".."), name.replace(/[*?{}[\]]/g, "[$&]"));
  const watcher = workspace.createFileSystemWatcher(pattern);
  watcher.onDidChange(onChange);
  watcher.onDidCreate(onChange);
  watcher.onDidDelete(onChange);
  return watcher;
}
