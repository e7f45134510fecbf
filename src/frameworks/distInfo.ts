import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { entriesOf } from "../store/modelFiles";

/**
 * The distributions that an interpreter finds when it starts in isolated mode, by their normalised names; read from
 * folders, nothing is started. `undefined` when its folders cannot be told, and then nobody can say what it lacks.
 * @param interpreter absolute
 */
export function installedDistributions(interpreter: string): ReadonlySet<string> | undefined {
  const folders = siteFolders(interpreter);
  if (folders.length === 0) return undefined;
  return new Set(withPathFiles(folders).flatMap(distributionsIn));
}

/** Every folder that an interpreter imports packages from, those that its path files name included. */
export function importFolders(interpreter: string): readonly string[] {
  return withPathFiles(siteFolders(interpreter));
}

/** The folder of the interpreter that a virtual environment was made with; `undefined` where it is none. */
export function baseFolderOf(interpreter: string): string | undefined {
  return venvOf(interpreter)?.home || undefined;
}

/** `3.11.7` of a virtual environment that says so, otherwise `3.11`; `undefined` where nothing tells. */
export function pythonVersionOf(interpreter: string): string | undefined {
  const told = venvOf(interpreter)?.fullVersion ?? "";
  const [version] = /^\d+\.\d+(?:\.\d+)?/.exec(told) ?? [];
  return version ?? /^python(\d+\.\d+)/i.exec(basename(realPath(interpreter)))?.[1];
}

/** A distribution's name as it is compared: letter case and the kind of dash mean nothing. */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/** The site-packages and dist-packages folders of an interpreter that exist, nearest first. */
export function siteFolders(interpreter: string): readonly string[] {
  const venv = venvOf(interpreter);
  if (venv === undefined)
    return existing(prefixesOf(interpreter).flatMap((prefix) => foldersBelow(prefix, interpreter)));
  const own = foldersBelow(venv.prefix, interpreter);
  const base = venv.seesSystem && venv.home !== "" ? systemFolders(venv.home, venv.version) : [];
  return existing([...own, ...base]);
}

interface Venv {
  readonly prefix: string;
  /** Folder of the interpreter that it was made with; empty where it does not say. */
  readonly home: string;
  /** For instance `3.11`; empty where it does not say. */
  readonly version: string;
  /** As it is written: `3.11.7`, `3.11.7.final.0`; empty where it does not say. */
  readonly fullVersion: string;
  readonly seesSystem: boolean;
}

/** `pyvenv.cfg` lies beside the interpreter or in the folder above, as Python itself looks for it. */
function venvOf(interpreter: string): Venv | undefined {
  for (const prefix of [dirname(interpreter), dirname(dirname(interpreter))]) {
    const text = textOf(join(prefix, "pyvenv.cfg"));
    if (text === undefined) continue;
    const settings = new Map(
      text.split(/\r?\n/).map((line) => {
        const at = line.indexOf("=");
        return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()] as const;
      }),
    );
    const fullVersion = settings.get("version") ?? settings.get("version_info") ?? "";
    return {
      prefix,
      home: settings.get("home") ?? "",
      version: versionIn(fullVersion),
      fullVersion,
      seesSystem: settings.get("include-system-site-packages")?.toLowerCase() === "true",
    };
  }
  return undefined;
}

/** Folders of the interpreter that a virtual environment was made with: `home` names no file, only where it is. */
function systemFolders(home: string, version: string): string[] {
  const interpreter = join(home, version === "" ? "python3" : `python${version}`);
  return prefixesOf(interpreter).flatMap((prefix) => foldersBelow(prefix, interpreter, version));
}

/** The folder above `bin`, by the interpreter's own path and by the one that it is a link to; on Windows its folder. */
function prefixesOf(interpreter: string): string[] {
  const places = [interpreter, realPath(interpreter)].map(dirname);
  return [...new Set(places.map((folder) => (/^(bin|scripts)$/i.test(basename(folder)) ? dirname(folder) : folder)))];
}

/** Where packages may lie below a prefix, whether they are there or not. */
function foldersBelow(
  prefix: string,
  interpreter: string,
  version = versionIn(basename(realPath(interpreter))),
): string[] {
  const versions = version === "" ? versionsBelow(join(prefix, "lib")) : [version];
  const named = versions.flatMap((each) => [
    join(prefix, "lib", `python${each}`, "site-packages"),
    join(prefix, "lib64", `python${each}`, "site-packages"),
    // Debian's own interpreter keeps away from site-packages; what pip installs goes below /usr/local.
    join(prefix, "local/lib", `python${each}`, "dist-packages"),
  ]);
  return [...named, join(prefix, "lib/python3/dist-packages"), join(prefix, "Lib/site-packages")];
}

/** `3.11` for the one folder `python3.11`; of several nobody can say which is meant. */
function versionsBelow(lib: string): string[] {
  const found = [...new Set(entriesOf(lib).map(versionIn))].filter((version) => version !== "");
  return found.length === 1 ? found : [];
}

/** `3.11` in `python3.11`, `3.11.7` or `3.11.7.final.0`. */
function versionIn(text: string): string {
  return /^(?:python)?(3\.\d+)(?:\.|t?$|t?\.exe$)/i.exec(text)?.[1] ?? "";
}

function existing(folders: readonly string[]): string[] {
  return [
    ...new Map(folders.filter((folder) => existsSync(folder)).map((folder) => [realPath(folder), folder])).values(),
  ];
}

/** Path files name further folders, a line each; a line that is code is not ours to run. */
function withPathFiles(folders: readonly string[]): readonly string[] {
  const more = folders.flatMap((folder) =>
    entriesOf(folder)
      .filter((name) => name.endsWith(".pth"))
      .flatMap((name) => (textOf(join(folder, name)) ?? "").split(/\r?\n/))
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#") && !/^import\s/.test(line))
      .map((line) => (isAbsolute(line) ? line : join(folder, line))),
  );
  return existing([...folders, ...more]);
}

/** `scikit_learn-1.5.0.dist-info`, and what older tools and Debian write: `PyJWT-2.6.0.egg-info`. */
function distributionsIn(folder: string): readonly string[] {
  const changedMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
  const before = known.get(folder);
  if (before !== undefined && before.changedMs === changedMs) return before.names;
  const names = entriesOf(folder).flatMap((entry) => {
    const name = /^(.+?)(?:-\d.*)?\.(?:dist|egg)-info$/.exec(entry)?.[1];
    return name === undefined ? [] : [normalName(name)];
  });
  // What was changed just now may change again within the clock's grain.
  if (changedMs !== undefined && Date.now() - changedMs > SETTLED_MS) known.set(folder, { changedMs, names });
  else known.delete(folder);
  return names;
}

/** What was found in folders that did not change since: installing writes a folder's entries anew. */
const known = new Map<string, { readonly changedMs: number; readonly names: readonly string[] }>();
const SETTLED_MS = 2_000;

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Where a path leads when its links are followed; the path itself where that cannot be told. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
