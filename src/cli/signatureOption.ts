import { ModelbenchError } from "../base/errors";
import type { YamlValue } from "../formats/pyYaml";
import { yamlFromJson } from "../formats/yamlFromJson";
import type { ModelSignature } from "../store/model";
import { splitAssignment } from "./args";

/** The value of `--signature`: `method={"batchable": true, "batch_dim": 0}`; the dimension is one number or `[in, out]`, as in
 *  BentoML. @throws ModelbenchError `usage` */
export function signatureOption(text: string): [string, ModelSignature] {
  const [method, json] = splitAssignment("signature", text);
  const value = jsonOption("signature", json);
  const unknown =
    value instanceof Map ? [...value.keys()].filter((key) => key !== "batchable" && key !== "batch_dim") : [];
  const batchable = value instanceof Map ? (value.get("batchable") ?? false) : undefined;
  const batchDim = value instanceof Map ? batchDimOf(value.get("batch_dim")) : undefined;
  if (typeof batchable !== "boolean" || batchDim === undefined || unknown.length > 0) {
    throw new ModelbenchError(
      "usage",
      `--signature ${method} takes {"batchable": true|false, "batch_dim": 0 or [0, 0]}; got ${json}.`,
    );
  }
  return [method, { batchable, batchDim }];
}

function batchDimOf(value: YamlValue | undefined): readonly [number, number] | undefined {
  if (value === undefined) return [0, 0];
  const [first, second] = Array.isArray(value) && value.length === 2 ? value : [value, value];
  return typeof first === "number" && typeof second === "number" ? [first, second] : undefined;
}

/** An option's value as JSON, typed as Python would. @throws ModelbenchError `usage` */
export function jsonOption(option: string, json: string): YamlValue {
  try {
    return yamlFromJson(json);
  } catch (cause) {
    const said = cause instanceof Error ? ` ${cause.message}` : "";
    throw new ModelbenchError("usage", `--${option} takes JSON; got ${JSON.stringify(json)}.${said}`, {
      cause,
      remedy: `Text needs quotes of its own: --${option} 'key="text"'.`,
    });
  }
}
