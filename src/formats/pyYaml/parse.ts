import { Budget } from "../../base/budget";
import { composeYaml } from "./compose";
import { constructValue } from "./construct";
import { MAX_YAML_DEPTH } from "./scanner";
import type { YamlValue } from "./values";

/** A model.yaml has a few kilobytes; more is refused before anything is read. */
export const MAX_YAML_BYTES = 1024 * 1024;
/** Values that one text may hold. */
const MAX_NODES = 50_000;
/** Bytes that the extension host may parse in one go without being felt. */
export const HOST_BYTES = 64 * 1024;
/** Lines and flow separators, as an estimate of values, that the host may parse in one go. */
const HOST_NODES = 2_000;

/** The limits that hold when the caller brings none. */
export function yamlBudget(what: string): Budget {
  return new Budget(what, { bytes: MAX_YAML_BYTES, nodes: MAX_NODES, depth: MAX_YAML_DEPTH + 1 });
}

/**
 * Reads a text as `yaml.safe_load` does: same values, same refusals. Known differences: a value that contains
 * itself is refused, and so is what the limits forbid (1 MiB, 50,000 values with aliases written out,
 * 100 aliases, 100 levels).
 * @param budget spent for bytes, values and levels; the limits named above when left out.
 * @throws ModelbenchError `yaml.invalid` with line and column, `budget.exceeded`
 * @see PyYAML 6.0.3
 */
export function parsePyYaml(text: string, budget: Budget = yamlBudget("The YAML text")): YamlValue {
  budget.bytes(Buffer.byteLength(text));
  const node = composeYaml(text, budget);
  return node === undefined ? null : constructValue(text, node);
}

/** Whether a text is small enough to be parsed on the extension host's thread. */
export function fitsHostThread(text: string): boolean {
  if (Buffer.byteLength(text) > HOST_BYTES) return false;
  let nodes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 10 || code === 13 || code === 44) nodes += 1;
    if (nodes > HOST_NODES) return false;
  }
  return true;
}
