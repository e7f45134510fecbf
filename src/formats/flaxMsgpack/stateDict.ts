import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";

/** A state dict, or a leaf of one: what `toStateDict` makes and a flax file holds. */
export type State = unknown;

/** A class, as a key of the registry. */
export type StateType<T> = abstract new (...args: never[]) => T;

/** How the objects of one class become state dicts and are restored from them. */
interface Serialization {
  readonly to: (target: unknown) => State;
  readonly from: (target: unknown, state: State) => unknown;
}

const registry = new Map<unknown, Serialization>();

/** Where in the target a restoration is, for failures. */
const place: string[] = [];

/**
 * Registers how objects of exactly this class, not of its subclasses, become state dicts and are restored from them.
 * @param to makes the state: a Map with keys of text, whose values went through `toStateDict`
 * @param from makes a new object from the target and a state; failures in it carry `currentPath`
 * @param options.override replaces a handler that is there
 * @throws ModelbenchError `usage` when the class has a handler already
 * @see flax 0.12.8 serialization.py register_serialization_state
 */
export function registerSerializationState<T>(
  type: StateType<T>,
  to: (target: T) => State,
  from: (target: T, state: State) => T,
  options: { readonly override?: boolean } = {},
): void {
  if (registry.has(type) && options.override !== true) {
    throw new ModelbenchError(
      "usage",
      `A serialization handler for ${JSON.stringify(type.name)} is registered already.`,
    );
  }
  registry.set(type, { to: to as Serialization["to"], from: from as Serialization["from"] });
}

/**
 * Registers a class whose fields, and nothing else, are its state, as `flax.struct.dataclass` does.
 * @param fields that are stored; others are kept from the target
 * @param make makes a new object of the target with these fields replaced
 * @throws ModelbenchError `usage` when the class has a handler already
 */
export function registerStruct<T extends object>(
  type: StateType<T>,
  fields: readonly (keyof T & string)[],
  make: (target: T, restored: ReadonlyMap<string, unknown>) => T,
): void {
  registerSerializationState(
    type,
    (target) => new Map(fields.map((field) => [field, toStateDict(target[field])])),
    (target, state) => make(target, restoredFields(type.name, fields, target, state)),
  );
}

/**
 * The state of an object: a Map with keys of text all the way down. A Map's keys become texts, an array becomes a Map
 * with the keys "0", "1", …, a registered object what its handler makes; everything else is a leaf and stays.
 * @throws ModelbenchError `usage` when two keys of a Map are the same text, or a handler makes a Map with other keys
 * @see flax 0.12.8 serialization.py to_state_dict
 */
export function toStateDict(target: unknown): State {
  const serialization = registry.get(typeOf(target));
  if (serialization === undefined) return target;
  const state = serialization.to(target);
  if (state instanceof Map && [...state.keys()].some((key) => typeof key !== "string")) {
    throw new ModelbenchError("usage", "A state dict must only have keys of text.");
  }
  return state;
}

/**
 * A new object with the structure of `target` and the leaves of `state`; leaf values of `target` are not used. As in
 * flax, keys of a dict that the target has not are left out and shapes and dtypes are not compared: `compareStructure`
 * says all of that.
 * @param name of the branch, the start of the path in failures
 * @throws ModelbenchError `state.mismatch` where the structures differ, with the path
 * @see flax 0.12.8 serialization.py from_state_dict
 */
export function fromStateDict<T>(target: T, state: State, name = "."): T {
  const serialization = registry.get(typeOf(target));
  if (serialization === undefined) return state as T;
  place.push(name);
  try {
    return serialization.from(target, state) as T;
  } finally {
    place.pop();
  }
}

/** The path of what is being restored, for instance `./params/Dense_0`; for handlers that report failures. */
export function currentPath(): string {
  return place.join("/");
}

/** A Python named tuple: fields in order, and the name of its type. */
export class NamedTuple {
  readonly typeName: string;
  readonly fields: ReadonlyMap<string, unknown>;

  constructor(typeName: string, fields: Iterable<readonly [string, unknown]>) {
    this.typeName = typeName;
    this.fields = new Map(fields);
  }
}

function typeOf(value: unknown): unknown {
  return typeof value === "object" && value !== null ? Object.getPrototypeOf(value)?.constructor : undefined;
}

function mismatch(what: string): ModelbenchError {
  return new ModelbenchError("state.mismatch", `${what} at path ${visible(currentPath())}.`);
}

/** Keys that a failure names; of more it says how many. */
const MAX_LISTED = 20;

function listed(keys: Iterable<unknown>): string {
  const all = [...keys].map((key) => visible(`'${String(key)}'`));
  const more = all.length > MAX_LISTED ? ` and ${all.length - MAX_LISTED} more` : "";
  return `{${all.slice(0, MAX_LISTED).join(", ")}${more}}`;
}

function dictOf(state: State): ReadonlyMap<unknown, State> {
  if (state instanceof Map) return state;
  throw mismatch(`The target is a dict, the state is not: a ${described(state)} was found`);
}

function described(state: State): string {
  if (Array.isArray(state)) return "list";
  if (typeof state !== "object" || state === null) return state === null ? "null" : typeof state;
  return "kind" in state ? String(state.kind) : "leaf";
}

function restoredDict(target: ReadonlyMap<unknown, unknown>, state: State): Map<unknown, unknown> {
  const dict = dictOf(state);
  const absent = [...target.keys()].map(String).filter((key) => !dict.has(key));
  if (absent.length > 0) {
    throw mismatch(
      "The target dict keys and state dict keys do not match, target dict contains keys " +
        `${listed(absent)} which are not present in state dict`,
    );
  }
  return new Map([...target].map(([key, value]) => [key, fromStateDict(value, dict.get(String(key)), String(key))]));
}

function dictState(target: ReadonlyMap<unknown, unknown>): Map<string, State> {
  const state = new Map([...target].map(([key, value]) => [String(key), toStateDict(value)]));
  if (state.size === target.size) return state;
  throw new ModelbenchError("usage", `Dict keys do not have a unique string representation: ${listed(target.keys())}.`);
}

function restoredList(target: readonly unknown[], state: State): unknown[] {
  const dict = dictOf(state);
  if (dict.size !== target.length) {
    throw mismatch(`The size of the list and the state dict do not match, got ${target.length} and ${dict.size}`);
  }
  const absent = target.map((_, index) => String(index)).filter((key) => !dict.has(key));
  if (absent.length > 0) {
    throw mismatch(`The target is a list, its state has the keys ${listed(dict.keys())} and not ${listed(absent)}`);
  }
  return target.map((item, index) => fromStateDict(item, dict.get(String(index)), String(index)));
}

function restoredTuple(target: NamedTuple, state: State): NamedTuple {
  const dict = tupleFields(dictOf(state));
  const isSame = dict.size === target.fields.size && [...target.fields.keys()].every((field) => dict.has(field));
  if (!isSame) {
    throw mismatch(
      "The field names of the state dict and the named tuple do not match, " +
        `got ${listed(dict.keys())} and ${listed(target.fields.keys())}`,
    );
  }
  const fields = [...target.fields].map(
    ([field, value]) => [field, fromStateDict(value, dict.get(field), field)] as const,
  );
  return new NamedTuple(target.typeName, fields);
}

/** Files of flax before 0.3.5 hold a named tuple as `{name, fields: {"0": …}, values: {"0": …}}`. */
function tupleFields(dict: ReadonlyMap<unknown, State>): ReadonlyMap<unknown, State> {
  const [fields, values] = [dict.get("fields"), dict.get("values")];
  const isOld = dict.size === 3 && dict.has("name") && fields instanceof Map && values instanceof Map;
  if (!isOld) return dict;
  return new Map(Array.from({ length: fields.size }, (_, i) => [fields.get(String(i)), values.get(String(i))]));
}

function restoredFields<T extends object>(
  typeName: string,
  fields: readonly (keyof T & string)[],
  target: T,
  state: State,
): Map<string, unknown> {
  const dict = dictOf(state);
  const restored = new Map<string, unknown>();
  for (const field of fields) {
    if (!dict.has(field)) {
      throw mismatch(`Missing field ${visible(field)} in state dict while restoring an instance of ${typeName},`);
    }
    restored.set(field, fromStateDict(target[field], dict.get(field), field));
  }
  const unknown = [...dict.keys()].filter((key) => !restored.has(String(key)));
  if (unknown.length === 0) return restored;
  const names = unknown.map((key) => visible(JSON.stringify(String(key)))).join(", ");
  throw mismatch(`Unknown field(s) ${names} in state dict while restoring an instance of ${typeName}`);
}

registerSerializationState<ReadonlyMap<unknown, unknown>>(Map, dictState, restoredDict);
registerSerializationState<readonly unknown[]>(
  Array,
  (items) => new Map(items.map((item, index) => [String(index), toStateDict(item)])),
  restoredList,
);
registerSerializationState(
  NamedTuple,
  ({ fields }) => new Map([...fields].map(([field, value]) => [field, toStateDict(value)])),
  restoredTuple,
);
