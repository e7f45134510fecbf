/** A Python float; kept apart from integers because `1.0` and `1` are different YAML values. */
export class YamlFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A calendar date of the proleptic Gregorian calendar, years 1 to 9999. */
export class YamlDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;

  constructor(year: number, month: number, day: number) {
    this.year = year;
    this.month = month;
    this.day = day;
  }
}

/** The parts of a timestamp; `offsetMinutes` is `undefined` for a naive one. */
export interface TimestampParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 to 999,999. */
  readonly micros: number;
  /** Minutes east of UTC, or `undefined` when the text names no zone. */
  readonly offsetMinutes: number | undefined;
}

/** A date with a time of day, exact to the microsecond, as Python's `datetime`. */
export class YamlTimestamp {
  readonly parts: TimestampParts;

  constructor(parts: TimestampParts) {
    this.parts = parts;
  }
}

/** A Python set, in the order of the text. */
export class YamlSet {
  readonly items: readonly YamlKey[];

  constructor(items: readonly YamlKey[]) {
    this.items = items;
  }
}

/** What may stand as a key: every value that Python can hash. */
export type YamlKey = null | boolean | bigint | number | string | Uint8Array | YamlFloat | YamlDate | YamlTimestamp;

/**
 * A value as `yaml.safe_load` answers it. A `number` is always a safe integer, a `bigint` an integer beyond
 * 2^53 - 1, and `YamlFloat` holds floats. The same array or map object may occur at several places when the
 * text used an alias.
 */
export type YamlValue = YamlKey | YamlSet | YamlValue[] | YamlMap;

/** A mapping in file order; keys that Python holds equal (`1`, `1.0`, `true`) are one key. */
export type YamlMap = Map<YamlKey, YamlValue>;

/** An integer of any size in the form that `YamlValue` uses for it. */
export function yamlInteger(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** Whether a value is a mapping. */
export function isYamlMap(value: YamlValue | undefined): value is YamlMap {
  return value instanceof Map;
}

/** The same text for exactly those keys that Python's `==` and `hash` hold equal. */
export function keyIdentity(key: YamlKey): string {
  if (key === null) return "null";
  if (typeof key === "string") return `s${key}`;
  if (typeof key === "boolean") return `n${Number(key)}`;
  if (typeof key === "number" || typeof key === "bigint") return `n${key}`;
  if (key instanceof YamlFloat) return floatIdentity(key.value);
  if (key instanceof YamlDate) return `d${key.year}-${key.month}-${key.day}`;
  if (key instanceof YamlTimestamp) return timestampIdentity(key.parts);
  return `b${Buffer.from(key).toString("hex")}`;
}

function floatIdentity(value: number): string {
  return Number.isInteger(value) ? `n${BigInt(value)}` : `n${value}`;
}

function timestampIdentity(parts: TimestampParts): string {
  const local = Date.UTC(2000, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  const instant = new Date(local).setUTCFullYear(parts.year, parts.month - 1, parts.day);
  if (parts.offsetMinutes === undefined) return `t${instant}.${parts.micros}`;
  return `z${instant - parts.offsetMinutes * 60_000}.${parts.micros}`;
}
