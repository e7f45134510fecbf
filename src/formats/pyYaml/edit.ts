import { ModelbenchError } from "../../base/errors";
import { outlineYaml } from "./compose";
import { candidatesFor, type YamlChange } from "./editMapping";
import { exactValue, unshared } from "./exactValue";
import { parsePyYaml, yamlBudget } from "./parse";
import { applyPatches } from "./patches";
import { isYamlMap, keyIdentity, type YamlKey, type YamlMap, type YamlValue } from "./values";

/**
 * Changes a document in place: only the lines of the entries concerned change, and the lines of an alias whose anchor
 * goes with them; comments, quoting, order, line breaks and a byte order mark elsewhere stay. New values are written
 * as `yaml.safe_dump` does, in flow style inside flow collections. Mappings on the way that are missing are made.
 * The result is read back before it is answered: it means the old document with the changes, and nothing else.
 * @param text as it stands in the file
 * @throws ModelbenchError `yaml.invalid` for a text that is no mapping or cannot be read, `budget.exceeded`
 */
export function editPyYaml(text: string, changes: readonly YamlChange[]): string {
  return changes.reduce(edited, text);
}

function edited(text: string, change: YamlChange): string {
  const root = readRoot(text);
  const wanted = unshared(root);
  if (!isYamlMap(wanted)) throw noMapping();
  applyChange(wanted, change.path, change.value);
  const meaning = exactValue(wanted);
  if (meaning === exactValue(root)) return text;
  const outline = outlineYaml(text, yamlBudget("The YAML text"));
  if (outline === undefined) throw noMapping();
  // Where the entry itself cannot be changed, because it is merged in for instance, what it stands in is written anew.
  for (let depth = change.path.length; depth > 0; depth -= 1) {
    const path = change.path.slice(0, depth);
    const value = depth === change.path.length ? change.value : valueAt(wanted, path);
    for (const patches of candidatesFor(text, outline, { path, value })) {
      const result = applyPatches(text, outline, patches);
      if (meaningOf(result) === meaning) return result;
    }
  }
  throw new ModelbenchError("yaml.invalid", "This YAML is written in a way that cannot be edited in place.", {
    remedy: "Open the file and change it by hand.",
  });
}

function readRoot(text: string): YamlMap {
  // Python opens the file in text mode, which turns every line break into "\n" before PyYAML sees it.
  const root = parsePyYaml(text.replace(/\r\n?/g, "\n"));
  if (!isYamlMap(root)) throw noMapping();
  return root;
}

function noMapping(): ModelbenchError {
  return new ModelbenchError("yaml.invalid", "Only a YAML text that is a mapping can be edited.");
}

/** `undefined` for a text that would not be read. */
function meaningOf(text: string): string | undefined {
  try {
    return exactValue(readRoot(text));
  } catch (error) {
    if (error instanceof ModelbenchError) return undefined;
    throw error;
  }
}

function applyChange(map: YamlMap, [key, ...rest]: readonly YamlKey[], value: YamlValue | undefined): void {
  if (key === undefined) return;
  const known = keyIn(map, key);
  if (rest.length > 0) {
    const below = map.get(known);
    const inner: YamlMap = isYamlMap(below) ? below : new Map();
    if (inner !== below && value !== undefined) map.set(known, inner);
    applyChange(inner, rest, value);
  } else if (value === undefined) map.delete(known);
  else map.set(known, unshared(value));
}

function valueAt(map: YamlMap, [key, ...rest]: readonly YamlKey[]): YamlValue | undefined {
  const value = key === undefined ? map : map.get(keyIn(map, key));
  return rest.length > 0 && isYamlMap(value) ? valueAt(value, rest) : value;
}

/** The map's own object for a key: dates and floats are equal without being the same. */
function keyIn(map: YamlMap, key: YamlKey): YamlKey {
  const identity = keyIdentity(key);
  const known = [...map.keys()].find((own) => keyIdentity(own) === identity);
  return known === undefined ? key : known;
}
