import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  type CancellationToken,
  type DataTransfer,
  type DataTransferFile,
  DataTransferItem,
  type TreeDragAndDropController,
  Uri,
} from "vscode";
import { Emitter } from "../../base/events";
import type { Disposable } from "../../base/scope";
import { storeFailure } from "../../store/failure";
import type { ModelRef } from "../services";
import type { TreeDrop } from "../treeDrop";
import type { TreeNode } from "./treeModel";

/** What rows are dragged as: nothing outside this extension takes it. */
const ROWS = "application/vnd.code.tree.modelbench.models";

/**
 * Takes files and folders that are dropped on the tree, and rows that are dropped on another store. What is dragged
 * out of it carries no path and no URI of the store: whoever got one could move the folder away.
 */
export class TreeDrops implements TreeDragAndDropController<TreeNode>, Disposable {
  readonly dropMimeTypes = [ROWS, "text/uri-list", "files"];
  readonly dragMimeTypes = [ROWS];
  readonly #dropped = new Emitter<TreeDrop>();

  /** Something was dropped that can be read. */
  readonly onDidDrop = this.#dropped.event;

  handleDrag(source: readonly TreeNode[], data: DataTransfer): void {
    data.set(ROWS, new DataTransferItem(source.filter((node) => node.kind === "version")));
  }

  async handleDrop(target: TreeNode | undefined, data: DataTransfer, token: CancellationToken): Promise<void> {
    const store = target?.store;
    const nothing = { store, models: [], paths: [], elsewhere: 0, failure: undefined, release: async () => {} };
    const models = modelsIn(data);
    if (models.length > 0) return this.#dropped.fire({ ...nothing, models });
    const uris = await urisIn(data);
    const files = [...data].flatMap(([, item]) => item.asFile() ?? []);
    const paths = uris.filter(({ scheme }) => scheme === "file").map(({ fsPath }) => fsPath);
    // A file of the system comes with its bytes where the editor runs on another machine.
    const copies = paths.length === 0 ? await copiesOf(files) : {};
    const drop = { ...nothing, paths, elsewhere: uris.length - paths.length, ...copies };
    if (token.isCancellationRequested) await drop.release();
    else this.#dropped.fire(drop);
  }

  dispose(): void {
    this.#dropped.dispose();
  }
}

function modelsIn(data: DataTransfer): ModelRef[] {
  const value: unknown = data.get(ROWS)?.value;
  return Array.isArray(value) ? value.filter((node) => node?.kind === "version") : [];
}

async function urisIn(data: DataTransfer): Promise<Uri[]> {
  const text = (await data.get("text/uri-list")?.asString()) ?? "";
  const lines = text.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => Uri.parse(line));
}

/** Puts files that came as bytes into a folder of their own, which `release` removes. */
async function copiesOf(files: readonly DataTransferFile[]): Promise<Partial<TreeDrop>> {
  if (files.length === 0) return {};
  const folder = await mkdtemp(join(tmpdir(), "modelbench-drop-"));
  const release = () => rm(folder, { recursive: true, force: true });
  try {
    const paths: string[] = [];
    for (const [i, file] of files.entries()) {
      if (file.uri?.scheme === "file") paths.push(file.uri.fsPath);
      else paths.push(await copyOf(file, join(folder, `${i}`)));
    }
    return { paths, release };
  } catch (error) {
    await release();
    return { failure: storeFailure(error, "copy dropped files to", folder) };
  }
}

/** Each in a folder of its own: it keeps its name, which the import shows. */
async function copyOf(file: DataTransferFile, folder: string): Promise<string> {
  await mkdir(folder);
  const name = basename(file.name.replaceAll("\\", "/"));
  const path = join(folder, /^\.{0,2}$/.test(name) ? "file" : name);
  await writeFile(path, await file.data(), { flag: "wx" });
  return path;
}
