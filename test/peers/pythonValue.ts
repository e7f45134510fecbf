import { YamlDate, YamlFloat, type YamlMap, YamlSet, YamlTimestamp, type YamlValue } from "../../src/formats/pyYaml";

/** A value as oracle.py writes it: its kind and its parts. */
export type Tagged = readonly [string, ...unknown[]];

/** A value of ours in the oracle's form; an object with an identity, met again, becomes a reference to its first visit. */
export function encodeValue(value: YamlValue, seen = new Map<object, number>()): Tagged {
  if (value === null) return ["null"];
  if (typeof value === "boolean") return ["bool", value];
  if (typeof value === "number" || typeof value === "bigint") return ["int", value.toString()];
  if (typeof value === "string") return ["str", value];
  if (value instanceof YamlFloat) return ["float", Number.isNaN(value.value) ? "nan" : hexOf(value.value)];
  if (value instanceof Uint8Array) return ["bytes", Buffer.from(value).toString("hex")];
  const first = seen.get(value);
  if (first !== undefined) return ["ref", first];
  seen.set(value, seen.size);
  if (value instanceof YamlDate) return ["date", [value.year, value.month, value.day]];
  return value instanceof YamlTimestamp ? encodeTime(value) : encodeCollection(value, seen);
}

function encodeTime({ parts }: YamlTimestamp): Tagged {
  const { year, month, day, hour, minute, second, micros, offsetMinutes } = parts;
  return ["time", [year, month, day, hour, minute, second, micros], offsetMinutes ?? null];
}

function encodeCollection(value: YamlSet | YamlValue[] | YamlMap, seen: Map<object, number>): Tagged {
  if (Array.isArray(value)) return ["list", value.map((item) => encodeValue(item, seen))];
  if (value instanceof YamlSet) return ["set", value.items.map((item) => encodeValue(item, seen)).sort(byJson)];
  return ["map", [...value].map(([key, item]) => [encodeValue(key, seen), encodeValue(item, seen)])];
}

/** Python sorts the encoded lists; JSON text sorts alike for the scalars that a test puts into sets. */
function byJson(a: Tagged, b: Tagged): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function hexOf(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString("hex");
}
