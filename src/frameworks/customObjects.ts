import { join } from "node:path";
import type { PositionalReader } from "../base/ports";
import { openFileReader } from "../formats/fileReader";
import { importLabel } from "../formats/pickle/facts";
import { Notes } from "../formats/pickle/notes";
import { readStreams } from "../formats/pickle/streams";
import { type CallNode, importOf, type Value } from "../formats/pickle/values";
import { statOf } from "../store/modelFiles";

/** Where BentoML keeps what a model needs beside its weights. */
const CUSTOM_OBJECTS = "custom_objects.pkl";

/** An object that was saved with a model, as its pickle says it would come about. */
export interface CustomObject {
  readonly name: string;
  /** The class of an instance, or what it is; empty where only loading it would tell. */
  readonly type: string;
}

const MAX_OBJECTS = 1000;
const MAX_NAME = 300;

/** The custom objects of a model's folder; nothing of them is loaded. `undefined` = they cannot be told. */
export function customObjectsOf(folder: string): readonly CustomObject[] | undefined {
  const path = join(folder, CUSTOM_OBJECTS);
  if (!statOf(path)?.isFile()) return [];
  const reader = openFileReader(path);
  try {
    return customObjectsIn(reader);
  } finally {
    reader.close();
  }
}

/** The entries of the dict that a pickle gives; `undefined` where it gives something else, or nothing. */
function customObjectsIn(reader: PositionalReader): readonly CustomObject[] | undefined {
  const range = { start: 0, end: reader.size };
  const [stream] = readStreams(reader, range, new Notes(), undefined, { joblib: false, search: false });
  const root = stream?.end === null ? undefined : stream?.root;
  if (root === undefined || root === null || typeof root !== "object" || root.kind !== "dict") return undefined;
  const objects = new Map<string, string>();
  for (let at = 0; at + 1 < root.entries.length && objects.size < MAX_OBJECTS; at += 2) {
    const key = root.entries[at];
    if (typeof key === "string") objects.set(key.slice(0, MAX_NAME), typeOf(root.entries[at + 1] ?? null));
  }
  return [...objects].map(([name, type]) => ({ name, type: type.slice(0, MAX_NAME) }));
}

function typeOf(value: Value): string {
  if (value === null) return "None";
  if (typeof value === "string") return "str";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int";
  // A float without a fraction is held as an integer is.
  if (typeof value === "number") return Number.isInteger(value) ? "int or float" : "float";
  switch (value.kind) {
    case "longText":
      return "str";
    case "import":
      return importLabel(value);
    case "call":
      return resultOf(value);
    case "array":
      return "numpy.ndarray";
    case "persistent":
    case "extension":
    case "buffer":
      return "";
    default:
      return value.kind;
  }
}

/** What calls give whose own name says nothing. */
const GIVES: ReadonlyMap<string, string> = new Map([
  ["numpy.core.multiarray._reconstruct", "numpy.ndarray"],
  ["numpy._core.multiarray._reconstruct", "numpy.ndarray"],
  ["numpy.core.numeric._frombuffer", "numpy.ndarray"],
  ["numpy._core.numeric._frombuffer", "numpy.ndarray"],
  ["numpy.core.multiarray.scalar", "numpy.generic"],
  ["numpy._core.multiarray.scalar", "numpy.generic"],
]);

/** Calls that are given the class of what they make. */
const MAKE_FIRST = new Set(["copyreg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__"]);

function resultOf(call: CallNode): string {
  const { callee, args } = call;
  // An instance of a class whose own code is in the pickle.
  if (callee !== null && typeof callee === "object" && callee.kind === "call") return madeClass(callee) ?? "";
  const source = importOf(callee);
  if (source === undefined) return "";
  const label = importLabel(source);
  const given = argumentsOf(args);
  if (MAKE_FIRST.has(label)) return given[0] === undefined ? "" : typeOf(given[0]);
  if (source.module?.startsWith("cloudpickle.")) return cloudpickled(source.name ?? "", call);
  return GIVES.get(label) ?? label;
}

/** What cloudpickle makes where it writes code: a class, a function or a module. */
function cloudpickled(maker: string, call: CallNode): string {
  const made = madeClass(call);
  if (made !== undefined) return `class ${made}`;
  if (maker === "_make_function" || maker === "_make_empty_function") {
    const name = codeName(argumentsOf(call.args)[0] ?? null);
    return name === undefined ? "function" : `function ${name}`;
  }
  if (maker === "subimport" || maker === "dynamic_subimport") return "module";
  return "";
}

/** The name in a code object: of all that makes one only its file and its names are texts, in this order. */
function codeName(code: Value): string | undefined {
  const made = code !== null && typeof code === "object" && code.kind === "call" ? argumentsOf(code.args) : [];
  return made.filter((part) => typeof part === "string")[1];
}

/** `_make_skeleton_class(type, name, bases, {"__module__": …}, …)`. */
function madeClass({ callee, args }: CallNode): string | undefined {
  const source = importOf(callee);
  if (source?.name !== "_make_skeleton_class" && source?.name !== "_make_skeleton_enum") return undefined;
  const [, name, , more] = argumentsOf(args);
  if (typeof name !== "string") return undefined;
  const entries = more !== null && typeof more === "object" && more.kind === "dict" ? more.entries : [];
  const module = entries[entries.indexOf("__module__") + 1];
  return entries.includes("__module__") && typeof module === "string" ? `${module}.${name}` : name;
}

function argumentsOf(args: Value): readonly Value[] {
  return args !== null && typeof args === "object" && args.kind === "tuple" ? args.items : [];
}
