import { pythonFloatRepr } from "./pythonNumber";
import { dateText, timestampText } from "./timeText";
import { YamlDate, YamlFloat, YamlSet, YamlTimestamp, type YamlValue } from "./values";

/** Python's `str(value)`. */
export function pythonStr(value: YamlValue): string {
  if (typeof value === "string") return value;
  if (value instanceof YamlDate) return dateText(value);
  if (value instanceof YamlTimestamp) return timestampText(value, " ");
  return pythonRepr(value);
}

/** Python's `repr(value)`; a set is written in the order of the text, which Python does not keep. */
export function pythonRepr(value: YamlValue): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return stringRepr(value);
  if (typeof value === "number" || typeof value === "bigint") return value.toString();
  if (value instanceof YamlFloat) return pythonFloatRepr(value.value);
  if (value instanceof Uint8Array) return bytesRepr(value);
  if (value instanceof YamlDate) return `datetime.date(${value.year}, ${value.month}, ${value.day})`;
  if (value instanceof YamlTimestamp) return timestampRepr(value);
  if (value instanceof YamlSet)
    return value.items.length === 0 ? "set()" : `{${value.items.map(pythonRepr).join(", ")}}`;
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(", ")}]`;
  return `{${[...value].map(([key, item]) => `${pythonRepr(key)}: ${pythonRepr(item)}`).join(", ")}}`;
}

/** Python's `bool(value)`. */
export function pythonTruth(value: YamlValue): boolean {
  if (value === null || typeof value === "boolean") return value === true;
  if (typeof value === "number" || typeof value === "bigint") return Number(value) !== 0;
  if (value instanceof YamlFloat) return value.value !== 0;
  if (typeof value === "string" || value instanceof Uint8Array || Array.isArray(value)) return value.length > 0;
  if (value instanceof YamlSet) return value.items.length > 0;
  return !(value instanceof Map) || value.size > 0;
}

function quoteFor(text: string): string {
  return text.includes("'") && !text.includes('"') ? '"' : "'";
}

const SHORT: ReadonlyMap<string, string> = new Map([
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function stringRepr(text: string): string {
  const quote = quoteFor(text);
  const body = text.replace(/[\\\p{C}\p{Z}]/gu, (char) => (char === " " ? char : (SHORT.get(char) ?? hexEscape(char))));
  return quote + body.replaceAll(quote, `\\${quote}`) + quote;
}

function hexEscape(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

function bytesRepr(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  const quote = quoteFor(text);
  const body = text.replace(/[\\\x00-\x1f\x7f-\xff]/g, (char) => SHORT.get(char) ?? hexEscape(char));
  return `b${quote}${body.replaceAll(quote, `\\${quote}`)}${quote}`;
}

function timestampRepr({ parts }: YamlTimestamp): string {
  const { year, month, day, hour, minute, second, micros, offsetMinutes } = parts;
  const fields = [year, month, day, hour, minute];
  if (second !== 0 || micros !== 0) fields.push(second);
  if (micros !== 0) fields.push(micros);
  const zone = offsetMinutes === undefined ? "" : `, tzinfo=${zoneRepr(offsetMinutes)}`;
  return `datetime.datetime(${fields.join(", ")}${zone})`;
}

function zoneRepr(minutes: number): string {
  if (minutes === 0) return "datetime.timezone.utc";
  const days = minutes < 0 ? "days=-1, " : "";
  const seconds = (minutes < 0 ? minutes + 1440 : minutes) * 60;
  return `datetime.timezone(datetime.timedelta(${days}seconds=${seconds}))`;
}
