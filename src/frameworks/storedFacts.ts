import { ModelbenchError } from "../base/errors";
import { stringifyExact } from "../formats/jsonExact";
import { isYamlMap, pythonFloatRepr, YamlFloat, type YamlMap, type YamlValue } from "../formats/pyYaml";
import { type Layout, tagOfFolder } from "../store/layout";
import type { ModelInfo, ModelSignature, StoredModel } from "../store/model";
import { type Origin, readOrigin } from "../store/origin";
import { pinnedTags } from "../store/pins";
import { formatTag } from "../store/tag";
import { type CustomObject, customObjectsOf } from "./customObjects";

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
  /** What its custom objects are, without loading them; `null` where that cannot be told. */
  readonly customObjects: readonly CustomObject[] | null;
  /** Arguments that are given to every call, as JSON objects by method; `null` where its options have no place for them. */
  readonly partialKwargs: readonly (readonly [string, string | null])[] | null;
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
    customObjects: customObjects(path),
    partialKwargs: partialKwargs(info),
  };
}

/** What keeps a file from being read is said of the file, not of what would be in it. */
function customObjects(folder: string): readonly CustomObject[] | null {
  try {
    return customObjectsOf(folder) ?? null;
  } catch (error) {
    if (error instanceof ModelbenchError) return null;
    throw error;
  }
}

/** Modules whose options have `partial_kwargs`, also where a file leaves them out: BentoML reads no other option. */
const TAKE_PARTIAL =
  /^bentoml\.(?:_internal\.frameworks\.)?(picklable(_model)?|flax|pytorch|torchscript|keras|tensorflow)$/;

function partialKwargs({ module, options }: ModelInfo): StoredFacts["partialKwargs"] {
  const partial = options.get("partial_kwargs");
  if (isYamlMap(partial)) return metadataJson(partial);
  return TAKE_PARTIAL.test(module) || options.has("partial_kwargs") ? [] : null;
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
