/** A scalar with its resolved tag. */
export interface ScalarNode {
  readonly kind: "scalar";
  readonly tag: string;
  readonly value: string;
  /** Character offset in the text. */
  readonly start: number;
}

/** A list of nodes. */
export interface SequenceNode {
  readonly kind: "sequence";
  readonly tag: string;
  readonly items: YamlNode[];
  readonly start: number;
}

/** One entry of a mapping as it stands in the text. */
export type NodePair = readonly [YamlNode, YamlNode];

/** A list of pairs; duplicates and merge keys are still in it. */
export interface MappingNode {
  readonly kind: "mapping";
  readonly tag: string;
  readonly pairs: NodePair[];
  readonly start: number;
}

/** A node of the document; an alias is the very node that its anchor names. */
export type YamlNode = ScalarNode | SequenceNode | MappingNode;
