import { dumpPyYaml } from "../../formats/pyYaml";
import type { ModelInfo } from "../model";
import { parseModelInfo } from "../modelYaml/modelInfo";

/**
 * `text` with another version. Only the version's line changes where the document has such a line of its own;
 * otherwise (flow style, text over several lines) the document is written anew.
 */
export function withVersion(text: string, info: ModelInfo, version: string): string {
  const line = dumpPyYaml(new Map([["version", version]])).trimEnd();
  const patched = text.replace(/^version[ \t]*:[^\r\n]*/m, () => line);
  const rewritten = dumpPyYaml(new Map([...info.document].map(([k, v]) => [k, k === "version" ? version : v])));
  return saysTheSame(patched, rewritten) ? patched : rewritten;
}

function saysTheSame(patched: string, rewritten: string): boolean {
  try {
    return dumpPyYaml(parseModelInfo(patched).document) === rewritten;
  } catch {
    return false;
  }
}
