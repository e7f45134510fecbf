import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The repository's root: tests run there. */
export const root = process.cwd();

/** What is made, fetched or data, and so no source of ours. */
const left = new Set([".git", ".tools", "dist", "node_modules", "out", "sample-store", "fixtures", "__pycache__"]);

/** Every file of the working tree that a person wrote, as paths from the root. */
export function sourceFiles(folder = ""): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (left.has(entry.name)) return [];
    return entry.isDirectory() ? sourceFiles(path) : [path];
  });
}

/** A file's text. @param path from the root */
export function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
