import { realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { insideFolder } from "./insideFolder";

/** A file that was found, or why it is not touched: a code and words that follow "… at NAME". */
export type FolderFile =
  | { readonly path: string; readonly size: number }
  | { readonly code: "path" | "missing" | "file"; readonly message: string };

/**
 * The files of one folder by names that a file of it gives: also through links they must stay inside. Nothing is
 * opened; what was looked up once is remembered.
 */
export class FolderFiles {
  readonly #folder: string;
  readonly #files = new Map<string, FolderFile>();
  #realFolder: string | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param location as `plainLocation` answers @returns an absolute path without links, of a regular file */
  find(location: string): FolderFile {
    let found = this.#files.get(location);
    if (!found) {
      found = this.#look(location);
      this.#files.set(location, found);
    }
    return found;
  }

  #look(location: string): FolderFile {
    try {
      this.#realFolder ??= realpathSync(this.#folder);
      const path = realpathSync(join(this.#folder, location));
      if (!insideFolder(this.#realFolder, path)) {
        return { code: "path", message: "leads out of the model's folder through a link" };
      }
      const stat = statSync(path);
      return stat.isFile() ? { path, size: stat.size } : { code: "file", message: "is not a regular file" };
    } catch {
      return { code: "missing", message: "is missing or cannot be read" };
    }
  }
}

/** A relative location as `a/b`, without `.`; `undefined` for what is absolute, empty, climbs, or is odd. */
export function plainLocation(location: string): string | undefined {
  if (location.includes("\0") || location.includes("\\") || location.startsWith("/") || /^[A-Za-z]:/.test(location)) {
    return undefined;
  }
  const segments = location.split("/").filter((segment) => segment !== "." && segment !== "");
  return segments.length === 0 || segments.includes("..") ? undefined : segments.join("/");
}
