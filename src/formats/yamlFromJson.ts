import { parseExactJson } from "./jsonExact";
import { YamlFloat, type YamlValue } from "./pyYaml";

/** A JSON string, or a number with a fraction or an exponent. */
const STRING_OR_FLOAT = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/**
 * The YAML value of a JSON text as Python's `json.loads` types it: `1` is an integer of any size, `1.0` and `1e3` are
 * floats.
 * @throws ModelbenchError `format.corrupt` with the character offset when it is not strict JSON
 */
export function yamlFromJson(text: string): YamlValue {
  parseExactJson(text);
  const marked = text.replace(STRING_OR_FLOAT, (token) => {
    if (token.startsWith('"')) return token;
    return /[.eE]/.test(token) ? `{${JSON.stringify(FLOAT_KEY)}:${token}}` : token;
  });
  return convert(parseExactJson(marked));
}

/** Marks a float while the text is parsed as JSON, which would not tell it from an integer. */
const FLOAT_KEY = "\0float";

/** What JSON calls an object becomes a map in the order of its keys. */
function convert(value: unknown): YamlValue {
  if (Array.isArray(value)) return value.map(convert);
  if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value !== "object" || value === null) return value === true ? true : value === false ? false : null;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === FLOAT_KEY) return new YamlFloat(Number(only[1]));
  return new Map(entries.map(([key, member]) => [key, convert(member)]));
}
