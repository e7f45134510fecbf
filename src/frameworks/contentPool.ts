import { type BigIntStats, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { FileFormat } from "../formats/sniff";
import { modelFilesIn } from "../store/modelFiles";
import { ModelStore } from "../store/modelStore";
import type { FileContent } from "./content";
import { openContent } from "./contentFormats";
import type { ContentRef } from "./contentJobs";
import { filesOf, modelFormat } from "./inspect";
import { type InspectedFile, openModelContent } from "./modelContent";

/** Contents kept open while nobody uses them. */
const KEPT = 4;
/** How long one is kept after its last use. */
const KEPT_MS = 60_000;

/** A file or a model that is open, with what `inspect` says of it as a whole. */
export interface OpenedContent {
  readonly content: FileContent;
  readonly format: FileFormat;
  readonly bytes: number;
  readonly files: readonly InspectedFile[];
  /** Another one as soon as one of its files was written to or is another. */
  readonly state: string;
}

interface Kept extends OpenedContent {
  readonly key: string;
  /** Of a model: files that come to it or go from it change it too. */
  readonly folder?: string;
  /** The files that were read, whose state is `state`. */
  readonly paths: readonly string[];
  closing?: NodeJS.Timeout;
}

/**
 * Keeps the contents used last open, so that a look at the next values does not read headers again. A content is lent
 * to one user at a time, because its views live until its next read; who comes meanwhile gets one of his own.
 */
export class ContentPool {
  /** Not lent, least recently used first. */
  readonly #free: Kept[] = [];

  /**
   * Opens `ref`, or takes what is open of it and unchanged, for the time of `use`.
   * @throws ModelbenchError those of `openContent`, of `ModelStore.get` and of `use`
   */
  async lend<T>(ref: ContentRef, use: (opened: OpenedContent) => T | Promise<T>): Promise<T> {
    const kept = this.#take(ref) ?? open(ref);
    try {
      return await use(kept);
    } finally {
      this.#putBack(kept);
    }
  }

  /** Closes what is not lent. */
  dispose(): void {
    for (const kept of this.#free.splice(0)) close(kept);
  }

  #take(ref: ContentRef): Kept | undefined {
    const key = keyOf(ref);
    for (;;) {
      const at = this.#free.map((one) => one.key).lastIndexOf(key);
      if (at < 0) return undefined;
      const [found] = this.#free.splice(at, 1) as [Kept];
      clearTimeout(found.closing);
      if (found.state === stateOf(found.folder === undefined ? found.paths : pathsIn(found.folder))) return found;
      close(found);
    }
  }

  #putBack(kept: Kept): void {
    this.#free.push(kept);
    kept.closing = setTimeout(() => this.#drop(kept), KEPT_MS);
    kept.closing.unref();
    if (this.#free.length > KEPT) this.#drop(this.#free[0]);
  }

  #drop(kept: Kept | undefined): void {
    const at = kept === undefined ? -1 : this.#free.indexOf(kept);
    for (const one of at < 0 ? [] : this.#free.splice(at, 1)) close(one);
  }
}

function close(kept: Kept): void {
  clearTimeout(kept.closing);
  kept.content.close();
}

function keyOf(ref: ContentRef): string {
  return ref.kind === "file" ? `file\0${ref.path}` : `model\0${ref.home}\0${ref.tag}`;
}

function open(ref: ContentRef): Kept {
  const key = keyOf(ref);
  if (ref.kind === "model") {
    const model = new ModelStore(ref.home).get(ref.tag);
    const folder = model.path;
    const paths = pathsIn(folder);
    const state = stateOf(paths);
    const content = openModelContent(model);
    const bytes = content.files.reduce((sum, file) => sum + file.bytes, 0);
    return { key, folder, paths, state, content, bytes, files: content.files, format: modelFormat(model) };
  }
  const { path } = ref;
  const before = stateOf([path]);
  const { format, content } = openContent(path);
  const { files, bytes } = filesOf(path, format, content);
  const paths = [path, ...besides(path, content)];
  // What was read is what was there before: a file that changed meanwhile is opened anew with the next use.
  const state = `${before}${stateOf(paths.slice(1))}`;
  return { key, paths, state, content, bytes, files, format };
}

function pathsIn(folder: string): string[] {
  return modelFilesIn(folder).map((file) => join(folder, file.path));
}

/** Shards and external data that lie below the file's own folder. */
function besides(path: string, { tensors, onnx }: FileContent): string[] {
  const names = new Set([...tensors.map(({ file }) => file), ...(onnx?.externalData ?? []).map((one) => one.location)]);
  const inside = [...names].filter((name) => name !== "" && !isAbsolute(name) && !name.split(/[\\/]/).includes(".."));
  return inside.map((name) => join(dirname(path), name)).filter((other) => other !== path);
}

/** What changes when somebody writes to one of the files or puts another in its place. */
function stateOf(paths: readonly string[]): string {
  return paths.map((path) => stampOf(statOf(path))).join("");
}

function stampOf(stat: BigIntStats | undefined): string {
  return stat === undefined ? "-;" : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs};`;
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}
