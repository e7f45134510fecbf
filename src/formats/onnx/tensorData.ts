import type { Budget } from "../../base/budget";
import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { ProtoReader, WIRE } from "../protobuf";
import { packBits } from "../tensorData";
import { onnxDataTypeNamed } from "./dataTypes";
import { type TensorHeader, typedItems } from "./tensorHeader";

/**
 * The values of a tensor as stored: little-endian, row-major, sub-byte types packed low bits first.
 * Not for strings and not for external data. The bytes are spent from the budget.
 * @throws ModelbenchError `format.corrupt` | `budget.exceeded`
 */
export function readStoredBytes(
  reader: PositionalReader,
  header: TensorHeader,
  name: string,
  budget: Budget,
): Uint8Array {
  if (header.plain) {
    budget.bytes(header.bytes);
    return Uint8Array.from(reader.read(header.plain.start, header.bytes));
  }
  const type = onnxDataTypeNamed(header.nativeDtype);
  const items = typedItems(type, header.count);
  const width = items === 0 ? 1 : Math.ceil(header.bytes / items);
  budget.bytes(width * items);
  const target = Buffer.alloc(width * items);
  const end = eachTyped(ProtoReader.open(reader, name, budget, header.message), type.typedField, target, width);
  if (end !== target.length) {
    throw new ModelbenchError("format.corrupt", `${name}: tensor ${JSON.stringify(header.name)} has too few values.`, {
      path: name,
      offset: header.message.start,
    });
  }
  // An entry has one element of 6 bits, stored bytes have them one after another.
  return type.bits === 6 ? packBits(target, type.bits) : target;
}

/** The texts of a string tensor. @throws ModelbenchError `format.corrupt` | `budget.exceeded` */
export function readStoredTexts(
  reader: PositionalReader,
  header: TensorHeader,
  name: string,
  budget: Budget,
): string[] {
  const texts: string[] = [];
  const proto = ProtoReader.open(reader, name, budget, header.message);
  while (proto.next()) {
    if (proto.field === 6) texts.push(proto.text());
  }
  return texts;
}

/** Writes the entries of a typed field one after another, `width` bytes each; answers where they end. */
function eachTyped(proto: ProtoReader, field: number, target: Buffer, width: number): number {
  let at = 0;
  const put = (value: bigint): void => {
    if (at + width > target.length) throw proto.fault("has a tensor with too many values");
    if (width === 8) target.writeBigUInt64LE(BigInt.asUintN(64, value), at);
    else target.writeUIntLE(Number(BigInt.asUintN(8 * width, value)), at, width);
    at += width;
  };
  while (proto.next()) {
    if (proto.field !== field) continue;
    if (field === 4 || field === 10) {
      const bytes = proto.wire === WIRE.bytes ? proto.bytes() : proto.fixedBytes();
      if (at + bytes.length > target.length) throw proto.fault("has a tensor with too many values");
      at += bytes.copy(target, at);
    } else proto.integers(put);
  }
  return at;
}
