import { isForeign, isHashable, type Value } from "./values";

/**
 * What opcodes do to objects that are there already. Each answers why Python would refuse, or `undefined`. Foreign
 * objects take anything: what they make of it is their code.
 */

/** APPEND and APPENDS. */
export function append(target: Value, items: readonly Value[]): string | undefined {
  if (isForeign(target)) return keep(target, "items", items);
  if (target === null || typeof target !== "object") return "appends to a constant";
  if (target.kind === "list") {
    for (const item of items) target.items.push(item);
    return undefined;
  }
  return target.kind === "bytearray" ? undefined : `appends to a ${target.kind}`;
}

/** ADDITEMS. */
export function addItems(target: Value, items: readonly Value[]): string | undefined {
  if (isForeign(target)) return keep(target, "items", items);
  const isSet = target !== null && typeof target === "object" && target.kind === "set";
  if (!isSet) return "adds items to what is not a set";
  return items.every(isHashable) ? undefined : "puts an unhashable value into a set";
}

/** SETITEM and SETITEMS. @param entries keys and values in turn */
export function setItems(target: Value, entries: readonly Value[]): string | undefined {
  if (isForeign(target)) return keep(target, "entries", entries);
  if (target === null || typeof target !== "object") return "sets items of a constant";
  if (target.kind === "dict") {
    for (const entry of entries) target.entries.push(entry);
    return entries.every((entry, i) => i % 2 === 1 || isHashable(entry)) ? undefined : "uses an unhashable key";
  }
  if (target.kind === "list") return setListItems(target.items, entries);
  return target.kind === "bytearray" || target.kind === "buffer" ? undefined : `sets items of a ${target.kind}`;
}

/** BUILD: `__setstate__`, or attributes. */
export function build(target: Value, state: Value): string | undefined {
  if (isForeign(target)) {
    if (target.kind === "call") target.state = state;
    return undefined;
  }
  const pair = isTuple(state) && state.items.length === 2 ? state.items : undefined;
  const [own, slots] = pair ?? [state, null];
  if (own !== null) return "gives a state to a plain value";
  if (slots === null || slots === undefined) return undefined;
  const isEmpty = typeof slots === "object" && slots.kind === "dict" && slots.entries.length === 0;
  return isEmpty ? undefined : "sets attributes of a plain value";
}

/** Why something cannot be called; only foreign objects can be called. */
export function refuseCall(callee: Value, args: Value): string | undefined {
  if (!isForeign(callee)) return "calls a plain value";
  return isTuple(args) ? undefined : "calls with arguments that are not a tuple";
}

function setListItems(items: Value[], entries: readonly Value[]): string | undefined {
  for (let i = 0; i + 1 < entries.length; i += 2) {
    const key = typeof entries[i] === "boolean" ? Number(entries[i]) : entries[i];
    const isIndex = typeof key === "number" && Number.isInteger(key) && key >= -items.length && key < items.length;
    if (!isIndex) return "sets an item beyond a list";
    items[key < 0 ? key + items.length : key] = entries[i + 1] ?? null;
  }
  return undefined;
}

/** One by one: spread into a call, a million values are more arguments than there may be. */
function keep(target: Value, where: "items" | "entries", values: readonly Value[]): undefined {
  if (target === null || typeof target !== "object" || target.kind !== "call") return;
  for (const value of values) target[where].push(value);
}

function isTuple(value: Value | undefined): value is Extract<Value, { kind: "tuple" }> {
  return value !== null && typeof value === "object" && value.kind === "tuple";
}
