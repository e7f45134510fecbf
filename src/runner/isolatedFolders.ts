import { readlinkSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path";
import { baseFolderOf, importFolders, realPath } from "../frameworks/distInfo";
import { isLinked } from "./privateFolder";
import type { PythonLoad } from "./protocol";

/** What a model's process has to see, and what it was to see but must not. */
export interface IsolatedFolders {
  /** By the path inside, with where it really is. */
  readonly readable: ReadonlyMap<string, string>;
  /** Folders of the project that hold the whole home folder. */
  readonly refused: readonly string[];
}

/**
 * What a model's process has to see when it sees nothing else: its interpreter with what it imports from, the worker,
 * the project's folders, and the model's files, some of which are linked from the private folder.
 * @param model the private folder with the model's files
 */
export function isolatedFolders(python: PythonLoad, model: string): IsolatedFolders {
  const readable = new Map([python.worker, model].map((path) => [path, path]));
  for (const [inside, real] of interpreterFolders(python.interpreter)) readable.set(inside, real);
  for (const folder of importFolders(python.interpreter)) if (!holdsHome(folder)) readable.set(folder, folder);
  for (const path of linkedPlaces(python)) readable.set(path, path);
  const refused = python.paths.filter(holdsHome);
  for (const path of python.paths) if (!refused.includes(path)) readable.set(path, path);
  return { readable, refused };
}

/** The home folder, and every folder above it. */
function holdsHome(folder: string): boolean {
  const inside = (path: string) => (path.endsWith(sep) ? path : path + sep);
  return inside(realPath(homedir())).startsWith(inside(realPath(folder)));
}

/** Where programs are installed for one user, keys and other data of theirs lie beside an interpreter. */
function isShared(prefix: string): boolean {
  return realPath(prefix) === realPath(join(homedir(), ".local"));
}

/** An interpreter is often a link to a link to the one that a virtual environment was made with; each has a prefix. */
function interpreterFolders(interpreter: string): Map<string, string> {
  const folders = new Map<string, string>();
  const add = (inside: string, real: string) => {
    const prefix = prefixOf(inside);
    if (isShared(prefix)) {
      for (const name of ["bin", "lib"]) folders.set(join(prefix, name), realPath(join(prefixOf(real), name)));
      return;
    }
    const found = [prefix, dirname(inside), inside].find((folder) => !holdsHome(folder)) ?? inside;
    const up = found === prefix ? prefixOf(real) : found === inside ? real : dirname(real);
    folders.set(found, realPath(up));
  };
  let [inside, real] = [interpreter, interpreter];
  for (let hops = 0; hops < MAX_HOPS; hops += 1) {
    add(inside, real);
    const target = linkTarget(real);
    if (target === undefined) break;
    // Inside, a relative link starts from where it is seen; here from where it is.
    inside = resolve(dirname(inside), target);
    real = isAbsolute(target) ? target : join(realPath(dirname(real)), target);
  }
  const base = baseFolderOf(interpreter);
  if (base !== undefined) add(join(base, "python3"), join(base, "python3"));
  return folders;
}

/** As many as the kernel follows. */
const MAX_HOPS = 40;

function prefixOf(interpreter: string): string {
  const folder = dirname(interpreter);
  return basename(folder) === "bin" ? dirname(folder) : folder;
}

/** Where the links in the private folder lead: nowhere but into the model's own. */
function linkedPlaces({ folder, files }: PythonLoad): string[] {
  return files.some(({ path }) => isLinked(path)) ? [realPath(folder)] : [];
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
