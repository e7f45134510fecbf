import type { Warning, WireError } from "../base/errors";
import type { YamlMap } from "../formats/pyYaml";

/** A model's identity; both parts follow BentoML's grammar. */
export interface Tag {
  readonly name: string;
  readonly version: string;
}

/** One method row of `model.yaml`. */
export interface ModelSignature {
  readonly batchable: boolean;
  /** `[in, out]`; `[0, 0]` where the file says nothing. */
  readonly batchDim: readonly [number, number];
}

/** `model.yaml`, read whole. */
export interface ModelInfo {
  readonly tag: Tag;
  /** For instance `bentoml.onnx`; empty for a bare model. */
  readonly module: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly metadata: YamlMap;
  readonly options: YamlMap;
  readonly context: {
    readonly frameworkName: string;
    readonly frameworkVersions: ReadonlyMap<string, string>;
    readonly bentomlVersion: string;
    readonly pythonVersion: string;
  };
  readonly signatures: ReadonlyMap<string, ModelSignature>;
  readonly apiVersion: string;
  /** The instant, to microseconds: `epochMs` rounds down, `micros` is the rest (0 to 999). */
  readonly creationTime: { readonly text: string; readonly epochMs: number; readonly micros: number };
  /** The whole document, unknown keys included, in file order. */
  readonly document: YamlMap;
}

/** What a list shows of one version: read by the scanner, never by the full parser unless it has to. */
export interface ModelSummary {
  readonly tag: Tag;
  /** Absolute path of the version folder. */
  readonly path: string;
  readonly module: string;
  /** Milliseconds since the epoch, rounded down. */
  readonly creationMs: number;
  /** Microseconds beyond `creationMs`, 0 to 999. */
  readonly creationMicros: number;
  /** Sum of all files below the folder. */
  readonly sizeBytes: number;
  /** Whether the name's `latest` file names this version. */
  readonly isLatest: boolean;
  /** Findings that do not keep the model from being used. */
  readonly warnings: readonly Warning[];
}

/** A folder below `models/` that is not a readable model, or is still being written. */
export interface BrokenItem {
  readonly name: string;
  /** `undefined` when the name folder itself is at fault. */
  readonly version: string | undefined;
  readonly path: string;
  /** `true` while a folder without model.yaml is younger than 3 s. */
  readonly beingWritten: boolean;
  readonly error: WireError;
}

/** What a store holds. */
export interface Listing {
  /** By name, then by version as text; callers sort for display. */
  readonly models: readonly ModelSummary[];
  readonly broken: readonly BrokenItem[];
}

/** One version, opened: `model.yaml` is read whole, weights are not touched. */
export interface StoredModel {
  readonly tag: Tag;
  readonly path: string;
  readonly info: ModelInfo;
  readonly warnings: readonly Warning[];
}

/** A file inside a model. */
export interface ModelFile {
  /** Relative to the version folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
}

/** What `save` needs to know beside the files. */
export interface ModelDraft {
  readonly name: string;
  /** Generated when left out. */
  readonly version?: string | undefined;
  readonly module: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata: YamlMap;
  readonly options: YamlMap;
  readonly signatures: Readonly<Record<string, ModelSignature>>;
  readonly apiVersion: string;
  readonly frameworkName: string;
  readonly frameworkVersions: Readonly<Record<string, string>>;
  /** Of the Python that wrote the files; left out where none took part. */
  readonly pythonVersion?: string | undefined;
}

/** A file to be copied into a new model. */
export interface SourceFile {
  /** Absolute path to read from. */
  readonly from: string;
  /** Path inside the model, relative, with `/`. */
  readonly to: string;
}

/** A deleted version that can be restored. */
export interface TrashEntry {
  /** Name of its folder below `.modelbench/trash/`. */
  readonly id: string;
  readonly tag: Tag;
  readonly deletedMs: number;
  readonly wasLatest: boolean;
  /** Sum of its files; `undefined` when they could not be read, or nobody wrote it down. */
  readonly bytes: number | undefined;
  /** Set when the folder's name was no tag: `tag.name` is that name, and `tag.version` empty for a folder of models. */
  readonly stray?: true;
}

/** One finding of `check`; `kind` is part of the CLI contract. */
export interface Problem {
  readonly kind:
    | "staging.leftover"
    | "model.incomplete"
    | "yaml.invalid"
    | "tag.mismatch"
    | "latest.torn"
    | "latest.dangling"
    | "file.missing"
    | "file.changed"
    | "link.stray"
    | "case.collision";
  readonly tag?: string;
  readonly path: string;
  readonly detail: string;
  /** What a repair would do; left out where there is nothing that it could. */
  readonly repair?: string;
  /** Whether a repair that was asked for has succeeded. */
  readonly repaired?: boolean;
}
