export { dumpPyYaml } from "./pyYaml/dump";
export { fitsHostThread, MAX_YAML_BYTES, parsePyYaml, yamlBudget } from "./pyYaml/parse";
export { pythonFloatRepr } from "./pyYaml/pythonNumber";
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
