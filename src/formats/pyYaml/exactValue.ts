import { dateText, timestampText } from "./timeText";
import { isYamlMap, YamlDate, YamlFloat, type YamlKey, YamlSet, YamlTimestamp, type YamlValue } from "./values";

/** The same text for values that are equal and of equal types; the order of keys counts for nothing. */
export function exactValue(value: YamlValue): string {
  if (Array.isArray(value)) return `[${value.map(exactValue).join(",")}]`;
  if (value instanceof YamlSet) return `set(${value.items.map(exactValue).sort().join(",")})`;
  if (!isYamlMap(value)) return exactKey(value);
  const pairs = [...value].map(([key, item]) => `${exactKey(key)}:${exactValue(item)}`);
  return `{${pairs.sort().join(",")}}`;
}

function exactKey(key: YamlKey): string {
  if (typeof key === "string") return JSON.stringify(key);
  if (key instanceof YamlFloat) return `float ${Object.is(key.value, -0) ? "-0" : key.value}`;
  if (key instanceof YamlDate) return `date ${dateText(key)}`;
  if (key instanceof YamlTimestamp) return `time ${timestampText(key, "T")}`;
  if (key instanceof Uint8Array) return `bytes ${Buffer.from(key).toString("hex")}`;
  return String(key);
}

/** A copy that shares no list and no mapping with itself or with `value`, so that it is written without anchors. */
export function unshared(value: YamlValue): YamlValue {
  if (Array.isArray(value)) return value.map(unshared);
  if (isYamlMap(value)) return new Map([...value].map(([key, item]) => [unsharedKey(key), unshared(item)]));
  return value instanceof YamlSet ? new YamlSet(value.items.map(unsharedKey)) : unsharedKey(value);
}

function unsharedKey(key: YamlKey): YamlKey {
  if (key instanceof YamlDate) return new YamlDate(key.year, key.month, key.day);
  return key instanceof YamlTimestamp ? new YamlTimestamp(key.parts) : key;
}
