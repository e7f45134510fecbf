import { stringifyExact } from "../formats/jsonExact";
import { isYamlMap, pythonFloatRepr, YamlFloat, type YamlMap, type YamlValue } from "../formats/pyYaml";
import { type Layout, tagOfFolder } from "../store/layout";
import type { ModelSignature, StoredModel } from "../store/model";
import { type Origin, readOrigin } from "../store/origin";
import { pinnedTags } from "../store/pins";
import { formatTag } from "../store/tag";

/** What the store knows of a version, and what of its model.yaml can be edited; plain, cloneable data. */
export interface StoredFacts {
  readonly pinned: boolean;
  readonly origin: Origin;
  /** The label `release`; empty when there is none. */
  readonly release: string;
  /** The text of the metadata key `notes`; empty when there is none or it is no text. */
  readonly notes: string;
  /** Metadata values as JSON texts; `null` for one that JSON cannot say, or could only say as something else. */
  readonly metadataJson: readonly (readonly [string, string | null])[];
  /** The methods as model.yaml lists them. */
  readonly methods: Readonly<Record<string, ModelSignature>>;
}

/** Reads what is noted of a version beside it. */
export function storedFacts(layout: Layout, { info, path }: StoredModel): StoredFacts {
  const notes = info.metadata.get("notes");
  return {
    pinned: pinnedTags(layout).has(formatTag(tagOfFolder(path))),
    origin: readOrigin(layout, info),
    release: info.labels.get("release") ?? "",
    notes: typeof notes === "string" ? notes : "",
    metadataJson: metadataJson(info.metadata),
    methods: Object.fromEntries(info.signatures),
  };
}

function metadataJson(metadata: YamlMap): [string, string | null][] {
  return [...metadata].flatMap(([key, value]) =>
    typeof key === "string" ? [[key, jsonOf(value) ?? null] satisfies [string, string | null]] : [],
  );
}

/** The JSON text that means the value again when it is edited: floats keep their point. */
function jsonOf(value: YamlValue): string | undefined {
  if (value instanceof YamlFloat) return Number.isFinite(value.value) ? pythonFloatRepr(value.value) : undefined;
  if (Array.isArray(value)) return enclosed("[", value.map(jsonOf), "]");
  if (isYamlMap(value)) return enclosed("{", [...value].map(memberJson), "}");
  return isPlain(value) ? stringifyExact(value) : undefined;
}

function memberJson([key, value]: readonly [unknown, YamlValue]): string | undefined {
  const json = jsonOf(value);
  return typeof key === "string" && json !== undefined ? `${JSON.stringify(key)}: ${json}` : undefined;
}

function enclosed(open: string, parts: readonly (string | undefined)[], close: string): string | undefined {
  return parts.includes(undefined) ? undefined : `${open}${parts.join(", ")}${close}`;
}

function isPlain(value: YamlValue): boolean {
  return value === null || ["boolean", "number", "bigint", "string"].includes(typeof value);
}
