import { basename } from "node:path";
import { ModelbenchError } from "../base/errors";
import { openFileReader } from "../formats/fileReader";
import { readFlaxHeader } from "../formats/flaxMsgpack/header";
import { leafName, leavesOf, type PlacedLeaf } from "../formats/flaxMsgpack/stored";
import { arrayData, plainValue } from "../formats/flaxMsgpack/values";
import type { FileContent, StoredTensor } from "./content";

/**
 * Opens a flax MessagePack file, or another MessagePack document, by its headers: every leaf is listed in file order,
 * values are read when they are asked for.
 * @throws ModelbenchError `format.corrupt` | `file.access` | `budget.exceeded`
 */
export function openFlaxFile(path: string, name: string = basename(path), open = openFileReader): FileContent {
  const reader = open(path);
  try {
    const { root, warnings } = readFlaxHeader(reader, path);
    const leaves = leavesOf(root);
    const placedAt = (index: number): PlacedLeaf => {
      const placed = leaves[index];
      if (placed === undefined) throw new ModelbenchError("internal", `${path}: has no leaf ${index}.`);
      return placed;
    };
    const named = (index: number): string => leafName(leaves[index]?.path ?? []) || name;
    return {
      tensors: leaves.map((leaf) => storedTensor(name, leaf)),
      metadata: new Map(),
      warnings,
      data(index) {
        const { leaf } = placedAt(index);
        if (leaf.kind === "ndarray" || leaf.kind === "npscalar") return arrayData(reader, leaf);
        throw new ModelbenchError("tensor.unreadable", `${named(index)} is ${wordsFor(leaf)}, not an array.`, { path });
      },
      leaf: (index) => plainValue(reader, placedAt(index).leaf, named(index)),
      listLevels: (index) => placedAt(index).listLevels,
      close: () => reader.close(),
    };
  } catch (error) {
    reader.close();
    throw error;
  }
}

function storedTensor(file: string, { path, leaf }: PlacedLeaf): StoredTensor {
  const { kind } = leaf;
  const name = leafName(path);
  if (kind === "ndarray" || kind === "npscalar") {
    const [first] = leaf.runs;
    const offset = leaf.runs.length === 1 && first ? first.offset : null;
    const bytes = leaf.runs.reduce((sum, run) => sum + run.bytes, 0);
    const { dtype, nativeDtype, shape } = leaf;
    return { file, name, path, kind, dtype, nativeDtype, shape, offset, bytes };
  }
  const nativeDtype = kind === "ext" ? leaf.nativeDtype : kind;
  const shape = kind === "ext" ? leaf.shape : [];
  const { offset, bytes } = "run" in leaf ? leaf.run : { offset: null, bytes: 0 };
  return { file, name, path, kind, dtype: null, nativeDtype, shape, offset, bytes };
}

function wordsFor(leaf: PlacedLeaf["leaf"]): string {
  return `of type ${leaf.kind === "ext" ? leaf.nativeDtype : leaf.kind}`;
}
