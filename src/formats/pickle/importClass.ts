import type { PickleImport } from "./facts";
import {
  ALLOWED,
  DANGEROUS_ANYWHERE,
  DANGEROUS_MODULES,
  DANGEROUS_NAMES,
  DANGEROUS_PARTS,
  HARMLESS_BUILTINS,
  STANDARD_LIBRARY,
} from "./names";
import { PLAIN_NAMES } from "./plainNames";

/**
 * What loading a name may lead to. Only exact pairs are allowed: a name with a dot walks attributes, and those reach
 * whatever a module has imported itself. In Python's own library everything is dangerous that is not known to be plain.
 * @param module `null` when the pickle computes it, which nobody needs who has nothing to hide; the same for `name`
 */
export function classOf(module: string | null, name: string | null): PickleImport["class"] {
  if (module === null || name === null) return "dangerous";
  if (ALLOWED.has(`${module} ${name}`)) return "allowed";
  const top = module.split(".", 1)[0] ?? "";
  if (CODE_MODULES.test(module)) return LOADERS.has(name) ? "dangerous" : "code";
  if (isSubscript(module, name) || isMainForDill(module, name)) return "code";
  if (isListed(module, DANGEROUS_MODULES) || DANGEROUS_NAMES.has(`${module} ${name}`)) return "dangerous";
  // Another module's copy of a dangerous module, whose functions a second step reaches.
  if (DANGEROUS_MODULES.has(name) || DANGEROUS_ANYWHERE.has(name)) return "dangerous";
  const parts = [...module.split(".").slice(1), name];
  if (parts.some((part) => DANGEROUS_PARTS.has(part))) return "dangerous";
  const isPlain = PLAIN_NAMES.has(`${module} ${name}`);
  if (name.includes(".") && !NESTED_CLASS.test(name) && !isPlain) return "dangerous";
  if (top === "builtins" || top === "__builtin__") return isPlainBuiltin(name) ? "unknown" : "dangerous";
  return STANDARD_LIBRARY.has(top) && !isPlain ? "dangerous" : "unknown";
}

/**
 * `x[key]` as a function: what cloudpickle writes for `Union[int, str]`, and what takes a function out of a table of
 * functions.
 */
export function isSubscript(module: string | null, name: string | null): boolean {
  return name === "getitem" && (module === "operator" || module === "_operator");
}

/** By this name, which Python itself does not find, dill gives a function the globals of the program that loads it. */
function isMainForDill(module: string, name: string): boolean {
  return (module === "__builtin__" || module === "builtins") && name === "__main__";
}

/** What pickles functions and classes by their byte code, under whatever roof it is bundled. */
const CODE_MODULES = /(^|\.)(cloudpickle|cloudpickle_fast|dill|_dill)(\.|$)/;
/** Their own way to load another pickle. */
const LOADERS: ReadonlySet<string> = new Set(["load", "loads", "load_session", "load_module", "load_module_asdict"]);
/** A class inside a class, named as classes are. */
const NESTED_CLASS = /^[A-Z][A-Za-z0-9]*(\.[A-Z][A-Za-z0-9]*)+$/;

function isPlainBuiltin(name: string): boolean {
  return HARMLESS_BUILTINS.has(name) || /^[A-Z][A-Za-z]*(Error|Exception|Warning|Exit|Interrupt|Iteration)$/.test(name);
}

/** Whether a module or one of its parents is listed. */
function isListed(module: string, list: ReadonlySet<string>): boolean {
  for (let end = module.length; end > 0; end = module.lastIndexOf(".", end - 1)) {
    if (list.has(module.slice(0, end))) return true;
  }
  return false;
}
