import { mkdtemp, rm, writeFile } from "node:fs/promises";
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
import type { ModelRef, TreeDrop } from "../services";
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
    const models = modelsIn(data);
    if (models.length > 0)
      return this.#dropped.fire({ store, models, paths: [], elsewhere: 0, release: async () => {} });
    const uris = await urisIn(data);
    const files = [...data].flatMap(([, item]) => item.asFile() ?? []);
    const paths = uris.filter(({ scheme }) => scheme === "file").map(({ fsPath }) => fsPath);
    // A file of the system comes with its bytes where the editor runs on another machine.
    const copies = paths.length === 0 ? await copiesOf(files) : { paths: [], release: async () => {} };
    if (token.isCancellationRequested) return copies.release();
    const elsewhere = uris.length - paths.length;
    const drop = { store, models, paths: [...paths, ...copies.paths], elsewhere, release: copies.release };
    this.#dropped.fire(drop);
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
async function copiesOf(files: readonly DataTransferFile[]): Promise<Pick<TreeDrop, "paths" | "release">> {
  if (files.length === 0) return { paths: [], release: async () => {} };
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
    throw error;
  }
}

/** The name is kept, because an import takes its format from the content, but names the file in what it tells. */
async function copyOf(file: DataTransferFile, stem: string): Promise<string> {
  const path = `${stem}-${basename(file.name.replaceAll("\\", "/")) || "file"}`;
  await writeFile(path, await file.data(), { flag: "wx" });
  return path;
}
