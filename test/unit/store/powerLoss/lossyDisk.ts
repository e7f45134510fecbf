import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bytesOf, type Syscall, texts } from "../../../fixtures/straced";

/** A file as the disk has it: what is in it, and what of that has been flushed. */
interface DiskFile {
  readonly kind: "file";
  content: Buffer;
  /** Content at the last flush; `undefined` before the first. */
  flushed: Buffer | undefined;
}

interface DiskFolder {
  readonly kind: "folder";
  readonly entries: Map<string, DiskNode>;
}

type DiskNode = DiskFile | DiskFolder;

/** One entry of a folder that was added, replaced or (without a node) removed. */
interface EntryChange {
  readonly folder: DiskFolder;
  readonly name: string;
  readonly node: DiskNode | undefined;
}

/** What one call did to folders: all of it reaches the disk, or nothing. A rename changes two folders. */
interface FolderChange {
  readonly entries: readonly EntryChange[];
  /** Set once the folder that the change ends in was flushed. */
  isDurable: boolean;
}

/**
 * A disk that forgets what was not flushed. It follows the calls of a traced process; at any moment the power may be
 * cut, and what is left is drawn: entries of folders that were not flushed are there or not, each call's as a whole;
 * contents that were not flushed are whole, cut short, full of zeros or gone.
 */
export class LossyDisk {
  readonly #root: string;
  readonly #top: DiskFolder;
  readonly #changes: FolderChange[] = [];
  /** The entries that each changed folder had before its first change. */
  readonly #before = new Map<DiskFolder, ReadonlyMap<string, DiskNode>>();

  /** @param root a real folder; what is in it now is taken for flushed, and calls outside it are ignored */
  constructor(root: string) {
    this.#root = root;
    this.#top = read(root) as DiskFolder;
  }

  /** Follows one call. Answers whether it changed or flushed anything. */
  follow({ call, args, result }: Syscall): boolean {
    if (result < 0) return false;
    const [first = "", second = ""] = texts(args).filter(
      (text) => text === this.#root || text.startsWith(`${this.#root}/`),
    );
    if (first === "") return false;
    switch (call) {
      case "mkdir":
        return this.#put(first, { kind: "folder", entries: new Map() });
      case "openat":
        if (!/O_CREAT/.test(args) || this.#find(first)) return false;
        return this.#put(first, { kind: "file", content: Buffer.alloc(0), flushed: undefined });
      case "write":
        return this.#write(first, bytesOf(/"([^"]*)"/.exec(args)?.[1] ?? ""));
      case "pwrite64":
        return this.#write(first, bytesOf(/"([^"]*)"/.exec(args)?.[1] ?? ""), Number(/(\d+)$/.exec(args)?.[1]));
      case "fsync":
      case "fdatasync":
        return this.#flush(first);
      case "rename":
      case "link":
        return this.#move(first, second, call === "rename");
      case "unlink":
      case "rmdir":
        this.#note([this.#entry(first, undefined)]);
        return true;
      default:
        throw new Error(`the disk does not know how to follow ${call}`);
    }
  }

  /** Draws what is left after a power cut now: contents by path, folders as `undefined`. @param random in [0, 1) */
  cut(random: () => number): Map<string, Buffer | undefined> {
    // Mostly folders keep the order of their entries; a disk that mixes them up is allowed, too.
    const keepsOrder = random() < 0.7;
    let lost = false;
    const kept = this.#changes.filter(({ isDurable }) => {
      if (isDurable) return true;
      if (keepsOrder) lost ||= random() < 0.3;
      return keepsOrder ? !lost : random() < 0.5;
    });
    const left = new Map<DiskFolder, Map<string, DiskNode>>();
    for (const { folder, name, node } of kept.flatMap(({ entries }) => entries)) {
      const entries = left.get(folder) ?? new Map(this.#before.get(folder));
      left.set(folder, entries);
      if (node) entries.set(name, node);
      else entries.delete(name);
    }
    const state = new Map<string, Buffer | undefined>();
    const walk = (folder: DiskFolder, path: string): void => {
      for (const [name, node] of left.get(folder) ?? this.#before.get(folder) ?? folder.entries) {
        state.set(path + name, node.kind === "file" ? remainder(node, random()) : undefined);
        if (node.kind === "folder") walk(node, `${path}${name}/`);
      }
    };
    walk(this.#top, "");
    return state;
  }

  #put(path: string, node: DiskNode): true {
    this.#note([this.#entry(path, node)]);
    return true;
  }

  /** @param offset the end of the file when left out */
  #write(path: string, bytes: Buffer, offset?: number): true {
    const file = this.#find(path);
    if (file?.kind !== "file") throw new Error(`${path} is written to, but is no file`);
    const at = offset ?? file.content.length;
    // A new buffer: what was flushed before may be the old one.
    const content = Buffer.alloc(Math.max(file.content.length, at + bytes.length));
    file.content.copy(content);
    bytes.copy(content, at);
    file.content = content;
    return true;
  }

  #flush(path: string): true {
    const node = this.#find(path);
    if (node === undefined) throw new Error(`${path} is flushed, but is not there`);
    if (node.kind === "file") node.flushed = node.content;
    for (const change of this.#changes) if (change.entries.at(-1)?.folder === node) change.isDurable = true;
    return true;
  }

  #move(from: string, to: string, removes: boolean): true {
    const node = this.#find(from);
    if (node === undefined) throw new Error(`${from} is moved, but is not there`);
    this.#note([...(removes ? [this.#entry(from, undefined)] : []), this.#entry(to, node)]);
    return true;
  }

  #entry(path: string, node: DiskNode | undefined): EntryChange {
    const folder = this.#find(dirname(path));
    if (folder?.kind !== "folder") throw new Error(`there is no folder for ${path}`);
    return { folder, name: path.slice(dirname(path).length + 1), node };
  }

  #note(entries: readonly EntryChange[]): void {
    for (const { folder, name, node } of entries) {
      if (!this.#before.has(folder)) this.#before.set(folder, new Map(folder.entries));
      if (node) folder.entries.set(name, node);
      else folder.entries.delete(name);
    }
    this.#changes.push({ entries, isDurable: false });
  }

  #find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.#top;
    for (const name of path === this.#root ? [] : path.slice(this.#root.length + 1).split("/")) {
      node = node?.kind === "folder" ? node.entries.get(name) : undefined;
    }
    return node;
  }
}

function read(path: string): DiskFolder {
  const entries = readdirSync(path, { withFileTypes: true }).map((entry): [string, DiskNode] => {
    const child = join(path, entry.name);
    if (entry.isDirectory()) return [entry.name, read(child)];
    const content = readFileSync(child);
    return [entry.name, { kind: "file", content, flushed: content }];
  });
  return { kind: "folder", entries: new Map(entries) };
}

/** What a disk may have of a file: what was not flushed is whole, missing, cut short or zeros. */
function remainder({ content, flushed }: DiskFile, draw: number): Buffer {
  if (flushed === content || draw < 0.25) return content;
  if (draw < 0.5) return flushed ?? Buffer.alloc(0);
  if (draw < 0.75) return content.subarray(0, Math.floor(((draw - 0.5) / 0.25) * content.length));
  return Buffer.alloc(content.length);
}
