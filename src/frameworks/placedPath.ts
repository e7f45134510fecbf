import type { FileContent } from "./content";

/** A key of a path that tells a place in a list, `{ "i": place }`, from an integer key of a map. */
export type PlacedKey = string | number | { readonly i: number };

/** The path of `tensors[index]`, with the kind of each container. @throws ModelbenchError as `FileContent.leaf` */
export function placedPath(content: FileContent, index: number): readonly PlacedKey[] {
  const path = content.tensors[index]?.path ?? [];
  // Without an integer there is no list, and of a version's file nothing need be opened.
  if (!path.some((key) => typeof key === "number")) return path;
  const levels = content.listLevels?.(index) ?? [];
  return path.map((key, level) => (typeof key === "number" && levels.includes(level) ? { i: key } : key));
}
