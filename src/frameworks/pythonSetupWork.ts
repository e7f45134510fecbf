import { existsSync } from "node:fs";
import { join } from "node:path";
import { ModelbenchError, throwIfAborted, toWireError } from "../base/errors";
import type { JobOptions } from "../base/ports";
import { entriesOf, statOf } from "../store/modelFiles";
import { Pace } from "../store/pace";
import {
  type InterpreterPlaces,
  interpretersAt,
  lackingPackages,
  locateInterpreter,
  type NamedPlace,
} from "./interpreters";
import type { InterpreterQuestion, NamedInterpreter, PythonFound, PythonQuestion } from "./pythonSetupJobs";

/** The work behind `pythonSetupJob`: what cannot be found is said in the answer. */
export async function runPythonSetup(question: PythonQuestion): Promise<PythonFound> {
  const paths = question.paths.filter((path) => statOf(path)?.isDirectory());
  try {
    const { path, by } = locateInterpreter(placesOf(question));
    const lacking = lackingPackages(path, question.needs);
    const { packages = [], command = "" } = lacking ?? {};
    return { interpreter: path, by, lacking: packages, command, problem: null, paths };
  } catch (error) {
    if (!(error instanceof ModelbenchError)) throw error;
    return { interpreter: null, by: "", lacking: [], command: "", problem: toWireError(error), paths };
  }
}

/** The work behind `listInterpretersJob`. */
export async function runListInterpreters(question: InterpreterQuestion): Promise<readonly NamedInterpreter[]> {
  const places = placesOf(question);
  const { asked, ...others } = places;
  const all: NamedPlace[] = [...(asked ? interpretersAt({ ...places, asked }) : []), ...interpretersAt(others)];
  return [...new Map(all.reverse().map((one) => [one.path, one])).values()].reverse();
}

function placesOf({ asked, chosen, env, folders, home }: InterpreterQuestion): InterpreterPlaces {
  const folder = folders.find((each) => existsSync(join(each, ".venv"))) ?? folders[0] ?? home;
  return {
    asked: asked ?? undefined,
    chosen,
    env,
    folder,
    platform: process.platform,
    isFolderFirst: true,
    remedy: "Choose one with the command “Modelbench: Select Python Interpreter…”.",
  };
}

/** Folders looked into for one module. */
const MAX_FOLDERS = 5_000;
/** How deep below a folder of the workspace a module's folder may be. */
const MAX_DEPTH = 6;
/** Where no source of a project is. */
const SKIPPED = new Set(["node_modules", "site-packages", "dist-packages", "__pycache__", "models"]);

/** The work behind `moduleFolderJob`: the nearest folder first. @throws ModelbenchError `cancelled` */
export async function runModuleFolder(
  { folders, module }: { readonly folders: readonly string[]; readonly module: string },
  { signal }: JobOptions = {},
): Promise<string | null> {
  const [top = ""] = module.split(".");
  const pace = new Pace();
  const queue = folders.map((path) => ({ path, depth: 0 }));
  for (let at = 0; at < Math.min(queue.length, MAX_FOLDERS); at++) {
    throwIfAborted(signal);
    const { path, depth } = queue[at] as (typeof queue)[number];
    const names = entriesOf(path);
    if (holdsModule(path, names, top)) return path;
    const isEnvironment = names.includes("pyvenv.cfg");
    const below = depth < MAX_DEPTH && !isEnvironment ? names.filter((name) => mayHoldSource(path, name)) : [];
    queue.push(...below.map((name) => ({ path: join(path, name), depth: depth + 1 })));
    await pace.rest();
  }
  return null;
}

/** A file, or a folder with source in it: a package needs no `__init__.py`. */
function holdsModule(path: string, names: readonly string[], module: string): boolean {
  if (names.includes(`${module}.py`)) return true;
  return names.includes(module) && entriesOf(join(path, module)).some((name) => name.endsWith(".py"));
}

function mayHoldSource(path: string, name: string): boolean {
  return !name.startsWith(".") && !SKIPPED.has(name) && statOf(join(path, name))?.isDirectory() === true;
}
