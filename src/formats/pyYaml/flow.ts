import { analyzeScalar } from "./analyze";
import { representValue, type ScalarOut } from "./represent";
import { TAG } from "./resolve";
import { isYamlMap, YamlSet, type YamlValue } from "./values";
import { YamlWriter } from "./writer";

/** Longer keys must be marked by `?`. */
const MAX_SIMPLE_KEY = 1000;

/**
 * Writes a value in flow style on one line, which may stand wherever a value may: strings are quoted where PyYAML's
 * emitter quotes them, and the text reads back as the same value.
 */
export function flowText(value: YamlValue): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(", ")}]`;
  if (value instanceof YamlSet) return `!!set {${value.items.map((item) => flowPair(item, null)).join(", ")}}`;
  if (isYamlMap(value)) return `{${[...value].map(([key, item]) => flowPair(key, item)).join(", ")}}`;
  const node = representValue(value);
  return node.kind === "scalar" ? flowScalar(node) : "null";
}

/** One entry of a flow mapping. */
export function flowPair(key: YamlValue, value: YamlValue): string {
  const text = flowText(key);
  const mark = text.length > MAX_SIMPLE_KEY ? "? " : "";
  return `${mark}${text}: ${flowText(value)}`;
}

function flowScalar({ tag, text, plainReadsBack }: ScalarOut): string {
  if (tag === TAG.binary) return `!!binary "${text.replaceAll("\n", "")}"`;
  if (tag !== TAG.str) return text;
  const chars = [...text];
  const { plain, singleQuoted, multiline } = analyzeScalar(chars);
  if (plain && plainReadsBack && text !== "" && !/[,?[\]{}:]/.test(text)) return text;
  const out = new YamlWriter();
  if (singleQuoted && !multiline) out.singleQuoted(chars, false);
  else out.doubleQuoted(chars, false);
  return out.toString();
}
