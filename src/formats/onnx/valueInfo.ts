import type { ProtoReader } from "../protobuf";
import type { ValueSpec } from "../tensor";
import { onnxDataType } from "./dataTypes";

/** A message as data, in the form and order of protobuf's JSON mapping (int64 = decimal text). */
export type ProtoDocument = Map<string, string | number | ProtoDocument | ProtoDocument[]>;

/** One graph input or output. */
export interface OnnxValue {
  readonly spec: ValueSpec;
  /** What `MessageToDict(value_info)` answers. */
  readonly document: ProtoDocument;
}

type FieldKind = "text" | "int32" | "int64" | Schema | readonly [Schema];
interface Schema {
  readonly [field: number]: readonly [name: string, kind: () => FieldKind];
}

const text = (): FieldKind => "text";
const int32 = (): FieldKind => "int32";

const PAIR: Schema = { 1: ["key", text], 2: ["value", text] };
const DIM: Schema = { 1: ["dimValue", () => "int64"], 2: ["dimParam", text], 3: ["denotation", text] };
const SHAPE: Schema = { 1: ["dim", () => [DIM]] };
const TENSOR: Schema = { 1: ["elemType", int32], 2: ["shape", () => SHAPE] };
const NESTED: Schema = { 1: ["elemType", () => TYPE] };
const TYPE: Schema = {
  1: ["tensorType", () => TENSOR],
  4: ["sequenceType", () => NESTED],
  5: ["mapType", () => ({ 1: ["keyType", int32], 2: ["valueType", () => TYPE] })],
  6: ["denotation", text],
  7: ["opaqueType", () => ({ 1: ["domain", text], 2: ["name", text] })],
  8: ["sparseTensorType", () => TENSOR],
  9: ["optionalType", () => NESTED],
};
const VALUE_INFO: Schema = {
  1: ["name", text],
  2: ["type", () => TYPE],
  3: ["docString", text],
  4: ["metadataProps", () => [PAIR]],
};

/**
 * Reads a ValueInfoProto.
 * @throws ModelbenchError `format.corrupt` | `budget.exceeded`
 * @see onnx 1.23 onnx.proto, messages ValueInfoProto and TypeProto
 */
export function readValueInfo(proto: ProtoReader): OnnxValue {
  const document = readDocument(proto, VALUE_INFO);
  return { spec: specOf(document), document };
}

/** Present fields only, in order of their numbers, as protobuf's own JSON mapping lists them. */
function readDocument(proto: ProtoReader, schema: Schema): ProtoDocument {
  const found = new Map<number, string | number | ProtoDocument | ProtoDocument[]>();
  while (proto.next()) {
    const kind = schema[proto.field]?.[1]();
    if (kind === undefined) continue;
    const { field } = proto;
    if (kind === "text") found.set(field, proto.text());
    else if (kind === "int64") found.set(field, proto.varint().toString());
    else if (kind === "int32") found.set(field, Number(BigInt.asIntN(32, proto.varint())));
    else if (isRepeated(kind)) {
      const list = found.get(field);
      const item = proto.message((inner) => readDocument(inner, kind[0]));
      if (Array.isArray(list)) list.push(item);
      else found.set(field, [item]);
    } else
      found.set(
        field,
        proto.message((inner) => readDocument(inner, kind)),
      );
  }
  const document: ProtoDocument = new Map();
  for (const [field, value] of [...found].sort(([a], [b]) => a - b)) document.set(schema[field]?.[0] ?? "", value);
  return document;
}

function isRepeated(kind: Schema | readonly [Schema]): kind is readonly [Schema] {
  return Array.isArray(kind);
}

function specOf(document: ProtoDocument): ValueSpec {
  const name = textOf(document.get("name"));
  const type = child(document, "type");
  for (const kind of ["sequence", "map", "optional"] as const) {
    if (type?.has(`${kind}Type`)) return { name, type: kind, dtype: null, shape: null };
  }
  const tensor = type && (child(type, "tensorType") ?? child(type, "sparseTensorType"));
  const elemType = tensor?.get("elemType");
  return {
    name,
    type: "tensor",
    dtype: typeof elemType === "number" ? onnxDataType(elemType).dtype : null,
    shape: tensor ? shapeOf(child(tensor, "shape")) : null,
  };
}

function shapeOf(shape: ProtoDocument | undefined): ValueSpec["shape"] {
  if (!shape) return null;
  const dims = shape.get("dim");
  return Array.isArray(dims) ? dims.map(dimOf) : [];
}

/** A negative size is how some exporters write "any". */
function dimOf(dim: ProtoDocument): number | string | null {
  const value = Number(dim.get("dimValue") ?? -1);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  return textOf(dim.get("dimParam")) || null;
}

function child(document: ProtoDocument, key: string): ProtoDocument | undefined {
  const value = document.get(key);
  return value instanceof Map ? value : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
