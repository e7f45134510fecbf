import { stridesOf } from "../stridedItems";
import type { BareArray, FoundArray } from "./foundArray";
import { items, MAX_RANK, type NumpyType, numpyType, shapeOf } from "./numpyTypes";
import type { ScanLimits } from "./scanLimits";
import { storedBytes } from "./storedBytes";
import type { PickleStream } from "./streams";
import { torchTensor } from "./torchTensors";
import { type CallNode, importOf, type Value } from "./values";

interface Step {
  readonly value: Value;
  /** Of an entry of a dict; it is made a name only where an array is found, since names take memory. */
  readonly key?: Value | undefined;
  /** Among the elements or entries of its parent; `undefined` for what makes no level of its own. */
  readonly at: number | undefined;
  readonly parent: Step | undefined;
}

/**
 * The arrays in a pickled object, in its order, each as often as it is referred to, as far as the limits go. Anything
 * else is met once.
 */
export function arraysIn({ root, imports }: Pick<PickleStream, "root" | "imports">, limits: ScanLimits): FoundArray[] {
  // An array comes about by an import, and going through a million plain values takes memory for each.
  if (root === undefined || imports.length === 0) return [];
  const found: FoundArray[] = [];
  const seen = new Set<object>();
  const waiting: Step[] = [{ value: root, at: undefined, parent: undefined }];
  for (let step = waiting.pop(); step; step = waiting.pop()) {
    const value = ofParameter(step.value);
    if (value === null || typeof value !== "object" || seen.has(value)) continue;
    const array = arrayOf(value);
    if (array) {
      const path = pathOf(step);
      if (!limits.lists(path)) break;
      found.push({ ...array, path });
    } else {
      seen.add(value);
      const below = parts(value, step);
      for (let i = below.length - 1; i >= 0; i--) {
        const next = below[i];
        if (next !== undefined && typeof next.value === "object") waiting.push(next);
      }
    }
  }
  return found;
}

function pathOf(step: Step): (string | number)[] {
  const path: (string | number)[] = [];
  for (let each: Step | undefined = step; each; each = each.parent) {
    const name = nameOf(each.key) ?? each.at;
    if (name !== undefined) path.push(name);
  }
  return path.reverse();
}

/** What an object is made of: elements by number, entries by key; of a call what was given to it. */
function parts(value: Exclude<Value, string | number | bigint | boolean | null>, parent: Step): Step[] {
  switch (value.kind) {
    case "tuple":
    case "list":
      return value.items.map((item, at) => ({ value: item, at, parent }));
    case "dict":
      return entries(value.entries, parent);
    case "call":
      return [
        // A wrapper's arguments and state are itself: no level of their own.
        ...(items(value.args) ?? []).map((item, at) => ({ value: item, at, parent })),
        ...(value.state === undefined ? [] : [{ value: value.state, at: undefined, parent }]),
        ...value.items.map((item, at) => ({ value: item, at, parent })),
        ...entries(value.entries, parent),
      ];
    default:
      return [];
  }
}

/** `_rebuild_parameter(tensor, requires_grad, hooks)` is its tensor. */
function ofParameter(value: Value): Value {
  if (value === null || typeof value !== "object" || value.kind !== "call") return value;
  const source = importOf(value.callee);
  const isParameter = source?.module === "torch._utils" && /^_rebuild_parameter(_with_state)?$/.test(source.name ?? "");
  return isParameter ? (items(value.args)?.[0] ?? null) : value;
}

function entries(list: readonly Value[], parent: Step): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i + 1 < list.length; i += 2) {
    steps.push({ value: list[i + 1] ?? null, key: list[i], at: i / 2, parent });
  }
  return steps;
}

/** Most items of a tuple that are made a name of. */
const MAX_NAME_ITEMS = 16;

/** A key as a part of a path: a text or number itself, another plain value or a tuple of them as Python writes it. */
function nameOf(key: Value | undefined): string | number | undefined {
  if (typeof key === "string" || typeof key === "number") return key;
  if (key === undefined || key === null || typeof key !== "object") return plainName(key);
  const parts = key.kind === "tuple" && key.items.length <= MAX_NAME_ITEMS ? key.items : [];
  const names = parts.map((item) => (typeof item === "string" ? `'${item}'` : plainName(item)));
  if (names.length === 0 || names.includes(undefined)) return undefined;
  return names.length === 1 ? `(${names[0]},)` : `(${names.join(", ")})`;
}

function plainName(value: Value | undefined): string | undefined {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" || typeof value === "bigint" ? String(value) : undefined;
}

function arrayOf(value: Value): BareArray | undefined {
  if (value === null || typeof value !== "object") return undefined;
  if (value.kind === "array") {
    const { dtype, nativeDtype, shape, bigEndian, fortranOrder, offset, bytes } = value;
    if (shape.length > MAX_RANK) return undefined;
    const strides = stridesOf(shape, fortranOrder);
    return { kind: "ndarray", dtype, nativeDtype, shape, strides, bigEndian, place: { kind: "inline", offset, bytes } };
  }
  if (value.kind !== "call") return undefined;
  const source = importOf(value.callee);
  if (!source || source !== value.callee) return undefined;
  const { module, name } = source;
  if (module?.startsWith("torch.")) return torchTensor(value);
  if (/^numpy\.(_core|core)\.numeric$/.test(module ?? "") && name === "_frombuffer") return fromBuffer(value);
  if (!/^numpy\.(_core|core)\.multiarray$/.test(module ?? "")) return undefined;
  if (name === "scalar") return numpyScalar(value);
  return name === "_reconstruct" ? reconstructed(value) : undefined;
}

/** `_frombuffer(buffer, dtype, shape, order)` */
function fromBuffer({ args }: CallNode): BareArray | undefined {
  const [buffer, type, shape, order] = items(args) ?? [];
  return inline(buffer, numpyType(type), shapeOf(shape), order === "F");
}

/** The state of an array: `(version, shape, dtype, is_fortran, bytes)`. */
function reconstructed({ state }: CallNode): BareArray | undefined {
  const [, shape, type, isFortran, bytes] = items(state) ?? [];
  return inline(bytes, numpyType(type), shapeOf(shape), isFortran === true);
}

function numpyScalar({ args }: CallNode): BareArray | undefined {
  const [type, bytes] = items(args) ?? [];
  const found = inline(bytes, numpyType(type), [], false);
  return found && { ...found, kind: "npscalar" };
}

function inline(
  bytes: Value | undefined,
  type: NumpyType | undefined,
  shape: readonly number[] | undefined,
  isFortran: boolean,
): BareArray | undefined {
  if (!type || type.hasObjects || !shape) return undefined;
  const place = storedBytes(
    bytes,
    shape.reduce((count, length) => count * length, type.itemBytes),
  );
  if (!place) return undefined;
  const { dtype, nativeDtype, bigEndian } = type;
  return { kind: "ndarray", dtype, nativeDtype, shape, strides: stridesOf(shape, isFortran), bigEndian, place };
}
