import { accessSync, constants, readFileSync } from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { ModelbenchError } from "../base/errors";
import { visible } from "../base/visible";
import { entriesOf, statOf } from "../store/modelFiles";
import type { PythonFacts } from "./adapter";
import { installedDistributions, normalName } from "./distInfo";

/** An interpreter, or the place of one, with what named it. */
export interface NamedPlace {
  readonly by: string;
  readonly path: string;
}

/** Where an interpreter is looked for. */
export interface InterpreterPlaces {
  /** The one that somebody named, with what named it; then no other will do. */
  readonly asked?: NamedPlace | undefined;
  /** Those that come before the usual places where they are there. */
  readonly chosen?: readonly NamedPlace[];
  /** Environment variables; `VIRTUAL_ENV`, `PATH` and pyenv's are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute folder in which `.venv` is looked for, and from which a relative path starts. */
  readonly folder: string;
  readonly platform: NodeJS.Platform;
  /** Whether `.venv` comes before `VIRTUAL_ENV`: an editor may have been started from the terminal of another project. */
  readonly isFolderFirst?: boolean;
  /** What to do when there is none; left out = what the command line takes. */
  readonly remedy?: string;
}

/** What an interpreter lacks for a framework. */
export interface Lacking {
  /** Distributions that are not installed, by the names to install. */
  readonly packages: readonly string[];
  /** The one line that would install them. */
  readonly command: string;
}

/**
 * The absolute path of the interpreter to use: the one asked for, else the first of `VIRTUAL_ENV`, `.venv` and
 * `python3` on the PATH that is there. A link is not followed, because a virtual environment is known by its place.
 * Nothing is started.
 * @throws ModelbenchError `python.missing` naming every place that was looked at
 */
export function findInterpreter(places: InterpreterPlaces): string {
  return locateInterpreter(places).path;
}

/** The same, with what named it. @throws ModelbenchError as `findInterpreter` */
export function locateInterpreter(places: InterpreterPlaces): NamedPlace {
  const { remedy = "Name one with --python PATH or MODELBENCH_PYTHON." } = places;
  const looked: string[] = [];
  for (const { by, path } of placesOf(places)) {
    const real = interpreterAt(path, places);
    if (real !== undefined) return { by, path: real };
    looked.push(path === undefined ? by : `${by} ${path}`);
  }
  const said = looked.map((place) => visible(place, MAX_PLACE)).join(", ");
  throw new ModelbenchError("python.missing", `There is no Python interpreter: looked at ${said}.`, { remedy });
}

/** Every interpreter that is there, the one to use first. Nothing is started. */
export function interpretersAt(places: InterpreterPlaces): readonly NamedPlace[] {
  return placesOf(places).flatMap(({ by, path }) => {
    const real = interpreterAt(path, places);
    return real === undefined ? [] : [{ by, path: real }];
  });
}

function placesOf({ asked, chosen = [], env, folder, platform, isFolderFirst = false }: InterpreterPlaces): Place[] {
  if (asked !== undefined) return askedPlaces(asked, env, folder, platform);
  return [...chosen, ...usualPlaces(env, folder, platform, isFolderFirst)];
}

function interpreterAt(path: string | undefined, { env, folder }: InterpreterPlaces): string | undefined {
  const real = path === undefined ? undefined : behindShim(path, env, folder);
  return real !== undefined && isProgram(real) ? real : undefined;
}

/**
 * What an interpreter lacks to run models of a framework, read from the folders of its packages; `undefined` when
 * nothing is known to be missing.
 * @param interpreter absolute
 */
export function lackingPackages(interpreter: string, needs: PythonFacts["needs"]): Lacking | undefined {
  const installed = installedDistributions(interpreter);
  if (installed === undefined) return undefined;
  const packages = needs
    .filter((names) => !names.some((name) => installed.has(normalName(name))))
    .map(([name]) => name);
  if (packages.length === 0) return undefined;
  return { packages, command: `${quoted(interpreter)} -m pip install ${packages.join(" ")}` };
}

/** Refuses an interpreter that lacks something. @throws ModelbenchError `python.missing` with the line that installs it */
export function refuseLacking(interpreter: string, label: string, needs: PythonFacts["needs"]): void {
  const lacking = lackingPackages(interpreter, needs);
  if (lacking === undefined) return;
  const { packages, command } = lacking;
  throw new ModelbenchError(
    "python.missing",
    `${label} needs ${packages.join(" and ")}, and ${interpreter} does not have ${packages.length > 1 ? "them" : "it"}.`,
    { path: interpreter, remedy: `Run: ${command}` },
  );
}

/** A path is most of it. */
const MAX_PLACE = 1000;

/** A place that was looked at: what named it, and the file; without one the place itself does not exist. */
interface Place {
  readonly by: string;
  readonly path: string | undefined;
}

function usualPlaces(
  env: InterpreterPlaces["env"],
  folder: string,
  platform: NodeJS.Platform,
  isFolderFirst: boolean,
): Place[] {
  const active = env["VIRTUAL_ENV"];
  const inActive = active
    ? { by: "VIRTUAL_ENV", path: inVenv(resolve(folder, active), platform) }
    : { by: "VIRTUAL_ENV (not set)", path: undefined };
  const inFolder = { by: ".venv", path: inVenv(join(folder, ".venv"), platform) };
  const onPath = namesOf("python3", platform).flatMap((name) => pathsOf(name, env, folder));
  const found = onPath.find((path) => isProgram(behindShim(path, env, folder) ?? ""));
  const environments = isFolderFirst ? [inFolder, inActive] : [inActive, inFolder];
  return [...environments, { by: "python3 on the PATH", path: found }];
}

/** A bare name is looked for on the PATH; anything else is a path. */
function askedPlaces(
  { by, path }: NamedPlace,
  env: InterpreterPlaces["env"],
  folder: string,
  platform: NodeJS.Platform,
): Place[] {
  const own = { by, path: resolve(folder, path) };
  if (/[/\\]/.test(path)) return [own];
  const onPath = namesOf(path, platform).flatMap((name) => pathsOf(name, env, folder));
  return [{ by, path: onPath.find((each) => isProgram(behindShim(each, env, folder) ?? "")) ?? own.path }];
}

function inVenv(prefix: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? join(prefix, "Scripts/python.exe") : join(prefix, "bin/python");
}

function namesOf(name: string, platform: NodeJS.Platform): string[] {
  if (platform !== "win32" || /\.exe$/i.test(name)) return [name];
  return name === "python3" ? ["python3.exe", "python.exe"] : [`${name}.exe`];
}

/** Empty entries of the PATH mean the working directory to a shell, and nothing here. */
function pathsOf(name: string, env: InterpreterPlaces["env"], folder: string): string[] {
  const entries = (env["PATH"] ?? env["Path"] ?? "").split(delimiter).filter((entry) => entry !== "");
  return entries.map((entry) => join(resolve(folder, entry), name));
}

/**
 * pyenv puts scripts on the PATH that choose an interpreter when they are started: the one that this script would
 * choose, or `undefined` when that is none of pyenv's own. Any other path is answered as it is.
 */
function behindShim(path: string, env: InterpreterPlaces["env"], folder: string): string | undefined {
  const shims = dirname(path);
  const root = dirname(shims);
  if (basename(shims) !== "shims" || !statOf(join(root, "versions"))?.isDirectory()) return path;
  const wanted = env["PYENV_VERSION"]?.split(":").filter(isVersionName) ?? pyenvVersions(root, folder);
  const found = wanted.map((version) => join(root, "versions", madeVersion(root, version), "bin", basename(path)));
  return found.find((candidate) => isProgram(candidate));
}

/** The versions that the nearest `.python-version` names, else those of pyenv's own file. */
function pyenvVersions(root: string, folder: string): string[] {
  for (let at = folder; ; at = dirname(at)) {
    const local = wordsIn(join(at, ".python-version"));
    if (local.length > 0) return local;
    if (dirname(at) === at) return wordsIn(join(root, "version"));
  }
}

/** `3.11` stands for the newest `3.11.N` that there is. */
function madeVersion(root: string, wanted: string): string {
  const made = entriesOf(join(root, "versions"));
  const newest = made
    .filter((name) => name.startsWith(`${wanted}.`) && /^\d+$/.test(name.slice(wanted.length + 1)))
    .sort((a, b) => Number(b.slice(wanted.length + 1)) - Number(a.slice(wanted.length + 1)))[0];
  return made.includes(wanted) ? wanted : (newest ?? wanted);
}

function wordsIn(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split(/\s+/).filter(isVersionName);
  } catch {
    return [];
  }
}

/** The name of a folder, and of nothing outside of where it lies. */
function isVersionName(word: string): boolean {
  return /^[\w.+-]+$/.test(word) && !/^\.+$/.test(word);
}

function isProgram(path: string): boolean {
  if (!statOf(path)?.isFile()) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
