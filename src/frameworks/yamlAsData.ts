import { Budget } from "../base/budget";
import { exactFloat, stringifyPython, type WholeFloat } from "../formats/jsonExact";
import {
  YamlDate,
  YamlFloat,
  type YamlKey,
  type YamlMap,
  YamlSet,
  YamlTimestamp,
  type YamlValue,
} from "../formats/pyYaml";

/** A shared value is written out at each place, so a small text could grow without end. */
const LIMITS = { nodes: 1_000_000, depth: 100 };

/**
 * A YAML value as plain data for exact JSON: floats are numbers, whole ones `WholeFloat`s, maps are Maps with text keys,
 * dates and timestamps are ISO text, bytes are base64 text, sets are lists.
 * @throws ModelbenchError `budget.exceeded` when aliases make it endless
 */
export function yamlAsData(value: YamlValue): unknown {
  return convert(value, new Budget("model.yaml", LIMITS));
}

/**
 * The options of a model as the Python worker reads them: exact JSON, whose NaN and infinities are Python's tokens.
 * @throws ModelbenchError `budget.exceeded` when aliases make them endless
 */
export function optionsText(options: YamlMap): string {
  return stringifyPython(yamlAsData(options));
}

function convert(value: YamlValue, budget: Budget): unknown {
  budget.nodes();
  if (Array.isArray(value)) return nested(budget, () => value.map((item) => convert(item, budget)));
  if (value instanceof YamlSet) return value.items.map(leaf);
  if (value instanceof Map) {
    return nested(
      budget,
      () => new Map([...value].map(([key, member]) => [String(plainKey(key)), convert(member, budget)])),
    );
  }
  return leaf(value);
}

function leaf(value: YamlKey): ReturnType<typeof plainKey> | WholeFloat {
  return value instanceof YamlFloat ? exactFloat(value.value) : plainKey(value);
}

function nested<T>(budget: Budget, make: () => T): T {
  budget.enter();
  const result = make();
  budget.leave();
  return result;
}

function plainKey(key: YamlKey): null | boolean | number | bigint | string {
  if (key instanceof YamlFloat) return key.value;
  if (key instanceof YamlDate) return isoDate(key);
  if (key instanceof YamlTimestamp) return isoTimestamp(key);
  return key instanceof Uint8Array ? Buffer.from(key).toString("base64") : key;
}

function isoDate({ year, month, day }: { year: number; month: number; day: number }): string {
  return `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
}

function isoTimestamp({ parts }: YamlTimestamp): string {
  const { hour, minute, second, micros, offsetMinutes } = parts;
  const fraction = micros === 0 ? "" : `.${pad(micros, 6)}`;
  return `${isoDate(parts)}T${pad(hour)}:${pad(minute)}:${pad(second)}${fraction}${isoOffset(offsetMinutes)}`;
}

function isoOffset(minutes: number | undefined): string {
  if (minutes === undefined) return "";
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}
