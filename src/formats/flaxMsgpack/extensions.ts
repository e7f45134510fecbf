import { elementCount } from "../elements";
import type { MsgpackCursor, MsgpackToken } from "../msgpack/cursor";
import { storedType } from "./dtypes";
import type { StoredLeaf } from "./stored";

type Extension = Extract<MsgpackToken, { readonly type: "ext" }>;

/** numpy's own bound. */
export const MAX_RANK = 64;

/**
 * Reads what describes an array (ext 1) or a numpy scalar (ext 3): `[shape, type name, bytes]`. The values stay unread.
 * @throws ModelbenchError `format.corrupt` when flax could not make an array of it, and for a dimension below 0
 * @see flax 0.12.8 serialization.py _ndarray_from_bytes
 */
export function readArrayHeader(cursor: MsgpackCursor, { code, offset, length }: Extension): StoredLeaf {
  return cursor.within({ offset, length }, () => {
    const parts = cursor.next();
    if (parts.type !== "array" || parts.length !== 3) {
      throw cursor.corrupt("an array was expected as [shape, type, bytes]", offset);
    }
    const shape = readShape(cursor);
    const nativeDtype = readTypeName(cursor);
    const type = storedType(nativeDtype);
    if (type === undefined) {
      throw cursor.corrupt(`an array has the unknown type ${JSON.stringify(nativeDtype.slice(0, 100))}`, offset);
    }
    const data = cursor.next();
    if (data.type !== "bin" && data.type !== "str") throw cursor.corrupt("an array has no bytes", offset);
    cursor.expectEnd();
    const expected = elementCount(shape) * type.itemBytes;
    if (expected !== data.length) {
      const shown = `[${shape.join(", ")}] ${nativeDtype}`;
      throw cursor.corrupt(`an array ${shown} takes ${expected} bytes, ${data.length} are there`, offset);
    }
    const { dtype, bigEndian } = type;
    if (dtype === null) return { kind: "ext", code, nativeDtype, shape, run: { offset, bytes: length } };
    const runs = [{ offset: data.offset, bytes: data.length }];
    // flax takes a scalar out of what has no dimensions; a "scalar" with dimensions stays an array.
    const kind = code === 3 && shape.length === 0 ? "npscalar" : "ndarray";
    return { kind, dtype, nativeDtype, shape, bigEndian, runs };
  });
}

function readShape(cursor: MsgpackCursor): number[] {
  const { offset } = cursor;
  const dims = cursor.next();
  if (dims.type !== "array" || dims.length > MAX_RANK) {
    throw cursor.corrupt(`a shape was expected as an array of at most ${MAX_RANK} integers`, offset);
  }
  const shape: number[] = [];
  for (let axis = 0; axis < dims.length; axis++) {
    const dim = cursor.next();
    if (dim.type !== "int")
      throw cursor.corrupt(`a shape has a dimension that is not an integer but ${dim.type}`, offset);
    const size = Number(dim.value);
    if (size < 0) throw cursor.corrupt(`a shape has the dimension ${dim.value}`, offset);
    if (!Number.isSafeInteger(size)) {
      throw cursor.corrupt(`a shape has the dimension ${dim.value}, more than can exist`, offset);
    }
    shape.push(size);
  }
  return shape;
}

/** Some writers store the name as bytes. */
function readTypeName(cursor: MsgpackCursor): string {
  const { offset } = cursor;
  const name = cursor.next();
  if (name.type !== "str" && name.type !== "bin") throw cursor.corrupt("an array has no type name", offset);
  if (name.length > MAX_TYPE_NAME) throw cursor.corrupt(`an array has a type name of ${name.length} bytes`, offset);
  return cursor.text(name);
}

/** Longer than any name there is. */
const MAX_TYPE_NAME = 256;

/** Reads a Python complex (ext 2): two numbers. @throws ModelbenchError `format.corrupt` */
export function readComplex(cursor: MsgpackCursor, { offset, length }: Extension): StoredLeaf {
  return cursor.within({ offset, length }, () => {
    const parts = cursor.next();
    if (parts.type !== "array" || parts.length !== 2) {
      throw cursor.corrupt("a complex number was expected as two numbers", offset);
    }
    const re = readNumber(cursor);
    const im = readNumber(cursor);
    cursor.expectEnd();
    return { kind: "complex", re, im };
  });
}

function readNumber(cursor: MsgpackCursor): number {
  const { offset } = cursor;
  const token = cursor.next();
  if (token.type === "float" || token.type === "int" || token.type === "bool") return Number(token.value);
  throw cursor.corrupt(`a complex number has a part that is not a number but ${token.type}`, offset);
}

/** Holds a timestamp (ext -1) to MessagePack's rules, as Python's reader does. @throws ModelbenchError `format.corrupt` */
export function checkTimestamp(cursor: MsgpackCursor, { offset, length }: Extension): void {
  if (length !== 4 && length !== 8 && length !== 12) {
    throw cursor.corrupt(`a timestamp takes 4, 8 or 12 bytes, not ${length}`, offset);
  }
  if (length === 4) return;
  const bytes = cursor.content({ offset, length });
  const head = new DataView(bytes.buffer, bytes.byteOffset, length).getUint32(0);
  // In the form of 8 bytes the upper 30 bits are the nanoseconds, in that of 12 the first 32.
  if ((length === 8 ? head >>> 2 : head) > 999_999_999) {
    throw cursor.corrupt("a timestamp has more than 999,999,999 nanoseconds", offset);
  }
}
