import { isForeign, type Value } from "./values";

/** Notes that NEWOBJ has made something of a value. */
export function noteClass(value: Value): void {
  if (value !== null && typeof value === "object" && value.kind === "import") value.isClass = true;
}

/**
 * Whether Python may take a value for the name of something. What foreign code makes may be any text; not so a class,
 * nor what one makes when it is given nothing: a text would be empty, and names nothing.
 */
export function mayBeName(value: Value): boolean {
  if (typeof value === "string") return true;
  if (value === null || typeof value !== "object") return false;
  if (value.kind === "import") return value.isClass !== true;
  if (value.kind !== "call") return value.kind === "longText" || isForeign(value);
  const { args, isNew } = value;
  return !(isNew && args !== null && typeof args === "object" && args.kind === "tuple" && args.items.length === 0);
}
