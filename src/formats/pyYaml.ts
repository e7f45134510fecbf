/** Placeholder types until the PyYAML reader lands. */
export type YamlValue = unknown;
/** A mapping in file order. */
export type YamlMap = Map<string, YamlValue>;
