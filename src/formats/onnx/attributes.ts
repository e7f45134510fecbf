import type { Budget } from "../../base/budget";
import type { PositionalReader } from "../../base/ports";
import { decodeElements, type Element, encodeStrings } from "../elements";
import { type ProtoReader, WIRE } from "../protobuf";
import type { DType } from "../tensor";
import { unpackBits } from "../tensorData";
import { onnxDataTypeNamed } from "./dataTypes";
import { MOST_NAME_BYTES } from "./graphIndex";
import { readSparse } from "./header";
import { readStoredBytes, readStoredTexts } from "./tensorData";
import { readTensorHeader, type TensorHeader } from "./tensorHeader";

/** Values of one attribute, and of a tensor in it, that are read; how many there are is said beside them. */
const MOST_VALUES = 16;
/** Tensors of one attribute that are read. */
const MOST_TENSORS = 4;

/** A tensor inside an attribute. */
export interface AttributeTensor {
  readonly name: string;
  readonly dtype: DType | null;
  readonly nativeDtype: string;
  readonly shape: readonly number[];
  /** Of a small dense tensor inside the file all values, row-major; else nothing. */
  readonly values: readonly Element[];
}

/** An attribute of a node. Subgraphs are found through `GraphEntry.subgraphs`. */
export interface NodeAttribute {
  readonly name: string;
  /** ONNX's own name of the type, for instance `FLOATS`. */
  readonly type: string;
  /** The first values: numbers, 64-bit integers as bigint, texts. */
  readonly values: readonly Element[];
  /** How many values, tensors, graphs or types there are. */
  readonly count: number;
  readonly tensors: readonly AttributeTensor[];
  /** Inside a function: the attribute of its caller that gives the value; else `""`. */
  readonly refersTo: string;
  readonly docString: string;
}

/** Field of AttributeProto that holds the values of each type, by the type's number. */
const TYPES: readonly (readonly [name: string, field: number])[] = [
  ["UNDEFINED", 0],
  ["FLOAT", 2],
  ["INT", 3],
  ["STRING", 4],
  ["TENSOR", 5],
  ["GRAPH", 6],
  ["FLOATS", 7],
  ["INTS", 8],
  ["STRINGS", 9],
  ["TENSORS", 10],
  ["GRAPHS", 11],
  ["SPARSE_TENSOR", 22],
  ["SPARSE_TENSORS", 23],
  ["TYPE_PROTO", 14],
  ["TYPE_PROTOS", 15],
];

/** What one field of an attribute holds; of a field that is not repeated the last one counts. */
interface Held {
  values: Element[];
  count: number;
  tensors: AttributeTensor[];
}

/** Reads attributes; the file behind is needed for the values of small tensors. */
export class AttributeReader {
  readonly #reader: PositionalReader;
  readonly #file: string;
  readonly #budget: Budget;

  /** @param file what failures call the file */
  constructor(reader: PositionalReader, file: string, budget: Budget) {
    this.#reader = reader;
    this.#file = file;
    this.#budget = budget;
  }

  /**
   * Reads an AttributeProto.
   * @throws ModelbenchError `format.corrupt`, `budget.exceeded`
   * @see onnx 1.23 onnx.proto, message AttributeProto
   */
  read(proto: ProtoReader): NodeAttribute {
    let [name, docString, refersTo, type] = ["", "", "", 0];
    const held = new Map<number, Held>();
    while (proto.next()) {
      const { field } = proto;
      if (field === 1) name = proto.shortText(MOST_NAME_BYTES);
      else if (field === 13) docString = proto.shortText(MOST_NAME_BYTES);
      else if (field === 21) refersTo = proto.shortText(MOST_NAME_BYTES);
      else if (field === 20) type = proto.integer();
      else this.#take(proto, held);
    }
    // IR versions before 3 store no type: the one field that is there tells it.
    const [typeName, field] = TYPES[type || typeOf(held)] ?? [`TYPE_${type}`, 0];
    const { values, count, tensors } = held.get(field) ?? { values: [], count: 0, tensors: [] };
    // A value that is zero or empty need not be stored.
    const isLeftOut = count === 0 && refersTo === "" && LEFT_OUT[typeName] !== undefined;
    const shown = isLeftOut ? [LEFT_OUT[typeName] ?? ""] : values;
    return { name, type: typeName, values: shown, count: isLeftOut ? 1 : count, tensors, refersTo, docString };
  }

  #take(proto: ProtoReader, all: Map<number, Held>): void {
    const { field } = proto;
    const isRepeated = REPEATED.has(field);
    const known = all.get(field);
    const held: Held = known && isRepeated ? known : { values: [], count: 0, tensors: [] };
    const add = (value: Element): void => {
      held.count += 1;
      if (held.values.length < MOST_VALUES) held.values.push(value);
    };
    if (field === 2) add(proto.fixedBytes().readFloatLE());
    else if (field === 3) add(proto.varint());
    else if (field === 4 || field === 9) add(proto.shortText(MOST_NAME_BYTES));
    else if (field === 7) readFloats(proto, held);
    else if (field === 8) proto.integers(add);
    else if (field === 5 || field === 10) this.#tensor(proto, held);
    else if (field === 22 || field === 23) sparse(proto, held);
    else if (field === 6 || field === 11 || field === 14 || field === 15) held.count += 1;
    else return;
    all.set(field, held);
  }

  #tensor(proto: ProtoReader, held: Held): void {
    held.count += 1;
    const header = proto.message(readTensorHeader);
    if (held.tensors.length >= MOST_TENSORS) return;
    const { name, dtype, nativeDtype, shape } = header;
    held.tensors.push({ name, dtype, nativeDtype, shape, values: this.#values(header) });
  }

  #values(header: TensorHeader): readonly Element[] {
    const { dtype, count, shape } = header;
    if (dtype === null || header.external || count > MOST_VALUES || header.bytes > MOST_VALUES * MOST_NAME_BYTES)
      return [];
    if (dtype === "string") {
      const texts = readStoredTexts(this.#reader, header, this.#file, this.#budget);
      return decodeElements({ dtype, shape, data: encodeStrings(texts) });
    }
    const stored = readStoredBytes(this.#reader, header, this.#file, this.#budget);
    const { bits } = onnxDataTypeNamed(header.nativeDtype);
    return decodeElements({ dtype, shape, data: bits < 8 ? unpackBits(stored, bits, count) : stored });
  }
}

const REPEATED = new Set([7, 8, 9, 10, 11, 15, 23]);
/** What a type's value is when it is not stored. */
const LEFT_OUT: Readonly<Record<string, Element>> = { FLOAT: 0, INT: 0n, STRING: "" };

function typeOf(held: ReadonlyMap<number, Held>): number {
  return Math.max(
    0,
    TYPES.findIndex(([, field]) => held.has(field)),
  );
}

function readFloats(proto: ProtoReader, held: Held): void {
  const isPacked = proto.wire === WIRE.bytes;
  const { bytes, length } = isPacked ? proto.head(4 * MOST_VALUES) : { bytes: proto.fixedBytes(), length: 4 };
  held.count += Math.floor(length / 4);
  for (let at = 0; at + 4 <= bytes.length && held.values.length < MOST_VALUES; at += 4) {
    held.values.push(bytes.readFloatLE(at));
  }
}

function sparse(proto: ProtoReader, held: Held): void {
  held.count += 1;
  const { values, shape } = proto.message(readSparse);
  if (held.tensors.length >= MOST_TENSORS) return;
  const { name, dtype, nativeDtype } = values;
  held.tensors.push({ name, dtype, nativeDtype, shape, values: [] });
}
