import assert from "node:assert/strict";
import { closeSync, cpSync, ftruncateSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import type { TestApi } from "../../src/extension/extension";
import { FILE_EDITORS } from "../../src/extension/ids";
import { FileEditors } from "../../src/extension/page/fileEditors";
import { exportModelJob } from "../../src/store/archive/archiveJobs";
import { plant } from "../unit/store/storeKit";
import { activated, repository, temporaryFolder, unblocked } from "./kit";
import { until } from "./until";

const SCHEME = "modelbench-elsewhere";

/** Files of a file system that is in memory. */
class MemoryFiles implements vscode.FileSystemProvider {
  readonly files = new Map<string, Uint8Array>();
  /** Sizes of files that nobody may read. */
  readonly sizes = new Map<string, number>();
  reads = 0;
  readonly #changes = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.#changes.event;

  write(path: string, bytes: Uint8Array): void {
    this.files.set(path, bytes);
    const uri = vscode.Uri.from({ scheme: SCHEME, path });
    this.#changes.fire([{ type: vscode.FileChangeType.Changed, uri }]);
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  stat({ path }: vscode.Uri): vscode.FileStat {
    const size = this.files.get(path)?.length ?? this.sizes.get(path);
    if (size === undefined) throw vscode.FileSystemError.FileNotFound(path);
    return { type: vscode.FileType.File, ctime: 0, mtime: 0, size };
  }

  readFile({ path }: vscode.Uri): Uint8Array {
    this.reads += 1;
    const bytes = this.files.get(path);
    if (!bytes) throw vscode.FileSystemError.FileNotFound(path);
    return bytes;
  }

  readDirectory = (): [] => [];
  createDirectory = refuse;
  writeFile = refuse;
  delete = refuse;
  rename = refuse;
}

function refuse(): never {
  throw vscode.FileSystemError.NoPermissions();
}

describe("editors of model files", () => {
  const folder = temporaryFolder();
  const elsewhere = new MemoryFiles();
  const vectors = join(repository(), "test/fixtures/vectors");
  let api: TestApi;
  let provider: vscode.Disposable;
  let storage: vscode.Uri;

  before(async () => {
    api = await activated();
    provider = vscode.workspace.registerFileSystemProvider(SCHEME, elsewhere, { isReadonly: true });
    storage = vscode.Uri.file(join(folder.path, "storage"));
  });

  afterEach(() => vscode.commands.executeCommand("workbench.action.closeAllEditors"));

  after(() => {
    provider.dispose();
    folder.remove();
  });

  /** The editors of the open tabs, as `viewType name`. */
  function tabs(): string[] {
    const inputs = vscode.window.tabGroups.all.flatMap((group) => group.tabs).map(({ input }) => input);
    return inputs.flatMap((input) =>
      input instanceof vscode.TabInputCustom ? [`${input.viewType} ${input.uri.path.split("/").at(-1)}`] : [],
    );
  }

  function file(name: string, source: string): vscode.Uri {
    const path = join(folder.path, name);
    cpSync(source, path);
    return vscode.Uri.file(path);
  }

  it("are the first choice for archives and safetensors, and offered for the rest", async () => {
    const path = join(folder.path, "m.bentomodel");
    const home = join(folder.path, "home");
    plant(home, "m", "v1");
    await api.services.jobs.run(exportModelJob, { home, tag: "m:v1", destination: path });
    await vscode.commands.executeCommand("vscode.open", vscode.Uri.file(path));
    await until("the archive", () => (tabs().includes(`${FILE_EDITORS.archive} m.bentomodel`) ? true : undefined));
    const [first = ""] = readdirSync(join(vectors, "safetensors")).filter((name) => name.endsWith(".safetensors"));
    await vscode.commands.executeCommand("vscode.open", file("a.safetensors", join(vectors, "safetensors", first)));
    await until("the weights", () => (tabs().includes(`${FILE_EDITORS.safetensors} a.safetensors`) ? true : undefined));
    for (const [name, group] of [
      ["a.onnx", "onnx"],
      ["a.msgpack", "flax"],
      ["a.pkl", "pickle"],
    ] as const) {
      const [vector = ""] = readdirSync(join(vectors, group)).filter((entry) => entry.endsWith(name.slice(1)));
      const uri = file(name, join(vectors, group, vector));
      await vscode.commands.executeCommand("vscode.openWith", uri, FILE_EDITORS.file);
      await until(name, () => (tabs().includes(`${FILE_EDITORS.file} ${name}`) ? true : undefined));
    }
  });

  it("read a file of another file system through a private copy, which goes with the editor", async () => {
    elsewhere.files.set("/models/a.npy", Buffer.from("\x93NUMPY", "latin1"));
    const editors = new FileEditors(api.services, { extensionUri: storage, globalStorageUri: storage });
    const uri = vscode.Uri.from({ scheme: SCHEME, path: "/models/a.npy" });
    const { file: document, dispose } = await editors.openCustomDocument(uri);
    assert.deepEqual(
      { ...document.info(), modifiedMs: null },
      {
        name: "a.npy",
        folder: `${SCHEME}:/models`,
        bytes: 6,
        modifiedMs: null,
        isCopy: true,
        isGone: false,
        refusal: null,
      },
    );
    assert.equal(statSync(document.path()).mode & 0o777, 0o600);
    const changed = new Promise<string>((resolve) => document.onDidChange(resolve));
    elsewhere.write("/models/a.npy", Buffer.from("\x93NUMPY2", "latin1"));
    assert.equal(await changed, "content");
    assert.equal(document.info().bytes, 7);
    dispose();
    const copies = join(storage.fsPath, "foreign-files");
    await until("the copy to go", () => (readdirSync(copies).length === 0 ? true : undefined));
    await editors.dispose();
  });

  it("refuse a file of another file system that is larger than 64 MiB, by name, without reading it", async () => {
    const { reads } = elsewhere;
    elsewhere.sizes.set("/models/big.safetensors", 65 * 2 ** 20);
    const editors = new FileEditors(api.services, { extensionUri: storage, globalStorageUri: storage });
    const uri = vscode.Uri.from({ scheme: SCHEME, path: "/models/big.safetensors" });
    const { file: document, dispose } = await editors.openCustomDocument(uri);
    const { refusal, isGone } = document.info();
    assert.equal(isGone, false);
    assert.equal(refusal?.code, "budget.exceeded");
    assert.match(refusal?.message ?? "", /\/models\/big\.safetensors has 65\.00 MiB/);
    assert.equal(elsewhere.reads, reads);
    dispose();
    await editors.dispose();
  }).timeout(60_000);

  it("hear that a file was deleted and is back", async () => {
    const uri = file("moving.onnx", join(repository(), "media/sample-store/models/digits/v1/saved_model.onnx"));
    const editors = new FileEditors(api.services, { extensionUri: storage, globalStorageUri: storage });
    const { file: document, dispose } = await editors.openCustomDocument(uri);
    const heard: string[] = [];
    document.onDidChange((what) => void heard.push(what));
    await vscode.workspace.fs.delete(uri);
    await until("the deletion", () => (document.info().isGone ? true : undefined));
    file("moving.onnx", join(repository(), "media/sample-store/models/iris_clf/v2/saved_model.onnx"));
    await until("the file", () => (document.info().isGone ? undefined : true));
    assert.deepEqual([heard[0], heard.at(-1)], ["file", "content"]);
    dispose();
    await editors.dispose();
  });

  it("open a sparse safetensors file of 1 GiB and a large archive without holding the window", async () => {
    const sparse = join(folder.path, "sparse.safetensors");
    const header = Buffer.from(JSON.stringify({ w: { dtype: "F32", shape: [2 ** 28], data_offsets: [0, 2 ** 30] } }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const handle = openSync(sparse, "w");
    writeSync(handle, Buffer.concat([length, header]));
    ftruncateSync(handle, 8 + header.length + 2 ** 30);
    closeSync(handle);
    const home = join(folder.path, "large");
    const destination = join(folder.path, "large.bentomodel");
    writeFileSync(join(plant(home, "large", "v1"), "weights.bin"), Buffer.alloc(48 * 2 ** 20, "weights"));
    await api.services.jobs.run(exportModelJob, { home, tag: "large:v1", destination });
    await unblocked(async () => {
      await vscode.commands.executeCommand("vscode.open", vscode.Uri.file(sparse), { preview: false });
      await vscode.commands.executeCommand("vscode.open", vscode.Uri.file(destination), { preview: false });
      await until("both", () => (tabs().length === 2 ? true : undefined));
      await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    });
  }).timeout(60_000);
});
