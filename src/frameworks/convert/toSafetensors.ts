import { ModelbenchError } from "../../base/errors";
import { type NewSafetensor, safetensorsFile, whyNotSafetensors } from "../../formats/safetensors/writer";
import type { FileContent, StoredTensor } from "../content";
import { isKeepable, keptLeavesJson, LEAVES_KEY, leafJson, leafOf } from "./keptLeaves";
import { ChangeNotes, type ConvertOptions, lostMetadata, type Planned } from "./plan";

/**
 * What a safetensors file can hold of a tree, by the naming of transformers: keys joined by `.`.
 * @param metadata that the source carries itself
 * @throws ModelbenchError `usage` for metadata under the key of kept leaves, as `FileContent.leaf`
 */
export function planSafetensors(content: FileContent, isTree: boolean, options: ConvertOptions): Planned {
  if (options.metadata?.has(LEAVES_KEY)) {
    throw new ModelbenchError("usage", `The metadata ${LEAVES_KEY} holds kept leaves and cannot be set.`, {
      remedy: "Keep leaves with --leaves, or choose another key.",
    });
  }
  const dropped = lostMetadata(content, (key) => !options.metadata?.has(key));
  const changed = new ChangeNotes();
  const arrays: { index: number; path: readonly [string] }[] = [];
  const kept: number[] = [];
  const names = new Set<string>();
  content.tensors.forEach((tensor, index) => {
    const name = isTree ? tensor.path.join(".") : tensor.name;
    const reason = (isTree ? whyNoName(tensor) : undefined) ?? whyNoTensor(tensor, name, names);
    if (reason !== undefined && options.leaves && isKeepable(tensor)) {
      kept.push(index);
      changed.add(`kept as JSON in the metadata ${LEAVES_KEY}`, shownName(tensor));
    } else if (reason === undefined) {
      names.add(name);
      arrays.push({ index, path: [name] });
      if (isTree) noteChanges(changed, tensor);
    } else dropped.push({ name: shownName(tensor), kind: tensor.dtype ?? tensor.nativeDtype, reason });
  });
  const metadata = new Map(isTree ? [["format", "flax"]] : content.metadata);
  if (kept.length > 0) metadata.set(LEAVES_KEY, keptLeavesJson(content, kept));
  for (const [key, value] of options.metadata ?? []) metadata.set(key, value);
  return {
    dropped,
    changed,
    metadata,
    arrays,
    leaves: kept.map((index) => leafJson(leafOf(content, index))),
    pieces: (source) => {
      const tensors = arrays.map(({ index, path: [name] }): NewSafetensor => ({ name, data: source.data(index) }));
      return safetensorsFile({ metadata, tensors });
    },
  };
}

/** The root has no name of its own. */
function shownName({ name, file }: StoredTensor): string {
  return name === "" ? file : name;
}

/** Why the path of a leaf does not survive as one name: it could not be split again. */
function whyNoName({ path }: StoredTensor): string | undefined {
  if (path.length === 0) return "is the root itself and has no name";
  if (path.includes("")) return "has an empty key in its path, which the names of safetensors cannot tell";
  const dotted = path.find((key) => typeof key === "string" && key.includes("."));
  if (dotted !== undefined) return `has the key ${JSON.stringify(dotted)}, whose dot would read as another level`;
  return undefined;
}

function whyNoTensor(tensor: StoredTensor, name: string, names: ReadonlySet<string>): string | undefined {
  const { kind, dtype, shape } = tensor;
  if (dtype === null) return LEAF_WORDS[kind] ?? `is of type ${kind}, and safetensors has tensors only`;
  if (names.has(name)) return `gets the name ${JSON.stringify(name)}, which another one has already`;
  return whyNotSafetensors(name, dtype, shape);
}

const LEAF_WORDS: Readonly<Record<string, string>> = {
  empty_map: "is an empty map, and safetensors has tensors only",
  empty_list: "is an empty list, and safetensors has tensors only",
  ext: "is of a type that nobody knows, and safetensors has tensors only",
};

function noteChanges(changed: ChangeNotes, tensor: StoredTensor): void {
  const { path, kind, shape } = tensor;
  const name = shownName(tensor);
  if (path.some((key) => typeof key === "number")) changed.add("integer keys and places in lists become text", name);
  else if (path.some((key) => /^\d+$/.test(String(key)))) {
    changed.add("digits as keys do not tell a list from a map", name);
  }
  if (kind === "npscalar" && shape.length === 0) changed.add("a scalar becomes a tensor without dimensions", name);
}
