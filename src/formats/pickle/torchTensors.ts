import { itemSize } from "../elements";
import type { DType } from "../tensor";
import type { BareArray } from "./foundArray";
import { entryOf, items, shapeOf } from "./numpyTypes";
import { storageId } from "./storages";
import { type CallNode, importOf, type Value } from "./values";

/** Types that PyTorch gives beside an untyped storage. */
const TYPE = /^(bool|u?int(8|16|32|64)|b?float(16|32|64)|float8_\w+|complex(64|128))$/;

/** The tensor that a call of PyTorch rebuilds from a storage. @see pytorch torch/_utils.py, torch/_tensor.py */
export function torchTensor(call: CallNode): BareArray | undefined {
  const source = importOf(call.callee);
  if (source?.module === "torch._utils") return rebuilt(source.name ?? "", call.args);
  if (source?.module !== "torch._tensor" || source.name !== "_rebuild_from_type_v2") return undefined;
  // Of a class of its own or with attributes: what is called, the class, what it is called with.
  const [callee, , args] = items(call.args) ?? [];
  const isRebuild = typeof callee === "object" && callee?.kind === "import" && callee.module === "torch._utils";
  return isRebuild ? rebuilt(callee.name ?? "", args) : undefined;
}

function rebuilt(name: string, args: Value | undefined): BareArray | undefined {
  const isQuantized = name === "_rebuild_qtensor";
  const isTyped = name === "_rebuild_tensor_v3";
  if (!isQuantized && !isTyped && !/^_rebuild_tensor(_v2)?$/.test(name)) return undefined;
  const [storage, firstElement, size, stride, , , typeOrMetadata, metadata] = items(args ?? null) ?? [];
  if (storage === null || typeof storage !== "object" || storage.kind !== "persistent") return undefined;
  const id = storageId(storage.id);
  const shape = shapeOf(torchSize(size));
  const strides = shapeOf(stride);
  if (!id || !shape || !strides || strides.length !== shape.length || !isCount(firstElement)) return undefined;
  const native = isTyped ? torchType(typeOrMetadata) : id.typeName;
  const dtype = isTyped ? dtypeNamed(native) : isQuantized ? null : id.dtype;
  const nativeDtype = isQuantized ? native.replace(/Storage$/, "").toLowerCase() : native;
  const itemBytes = (dtype === null ? unreadBytes(nativeDtype) : itemSize(dtype)) ?? 0;
  const place = { kind: "storage", id, firstElement, itemBytes } as const;
  const unread = changed(isTyped ? metadata : typeOrMetadata);
  return { kind: "ndarray", dtype, nativeDtype, shape, strides, bigEndian: false, place, ...unread };
}

/** PyTorch does not store what a conjugated or negated view shows, only that it is one. */
function changed(metadata: Value | undefined): { readonly unread?: string } {
  const bit = ["conj", "neg"].find((name) => entryOf(metadata, name) === true);
  return bit === undefined ? {} : { unread: `what is stored is its ${bit}, which is not read` };
}

/** Bytes of an element of a type whose values are not read; 0 where it is not known. */
function unreadBytes(native: string): number {
  if (/32$/.test(native)) return 4;
  return /^(qu?int8|bits8|float4_e2m1fn_x2)$/.test(native) ? 1 : 0;
}

function torchType(type: Value | undefined): string {
  const isName = type !== null && typeof type === "object" && type.kind === "import" && type.module === "torch";
  return isName ? (type.name ?? "") : "";
}

function dtypeNamed(name: string): DType | null {
  return TYPE.test(name) && itemSize(name as DType) !== undefined ? (name as DType) : null;
}

/** A size is a tuple, or `torch.Size` of one. */
function torchSize(size: Value | undefined): Value | undefined {
  const isCall = size !== null && typeof size === "object" && size.kind === "call";
  return isCall && importOf(size)?.name === "Size" ? items(size.args)?.[0] : size;
}

function isCount(value: Value | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
