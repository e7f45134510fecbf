export { dumpPyYaml } from "./pyYaml/dump";
export { editPyYaml } from "./pyYaml/edit";
export type { YamlChange } from "./pyYaml/editMapping";
export { fitsHostThread, HOST_BYTES, MAX_YAML_BYTES, parsePyYaml } from "./pyYaml/parse";
export { pythonFloatRepr, pythonInt } from "./pyYaml/pythonNumber";
export { pythonRepr, pythonStr, pythonTruth } from "./pyYaml/pythonText";
export { resolvesToText } from "./pyYaml/resolve";
export { timestampText } from "./pyYaml/timeText";
export {
  isYamlMap,
  type TimestampParts,
  YamlDate,
  YamlFloat,
  type YamlKey,
  type YamlMap,
  YamlSet,
  YamlTimestamp,
  type YamlValue,
} from "./pyYaml/values";
