/**
 * What Modelbench offers to other extensions, version 1. Copy this file, or take it from the extension's folder.
 *
 *     const modelbench = vscode.extensions.getExtension<ModelbenchApi>("modelbench.modelbench");
 *     const api = await modelbench?.activate();
 *
 * Everything that goes in or comes out is plain data. What fails rejects with a `ModelbenchFailure`. Within version 1
 * fields and options are only added, and codes of failures may be, so treat an unknown one like any other failure.
 */
export interface ModelbenchApi {
  readonly version: 1;
  /** The open stores, the user's own first. Reads nothing. */
  stores(): readonly ModelbenchStore[];
  /** The readable versions of the open stores, newest first within each store. */
  list(filter?: ModelFilter): Promise<readonly ModelbenchModel[]>;
  /** One version with what its files say of it; `name` and `name:latest` mean the latest one. Runs nothing of it. */
  get(tag: string, options?: InStore): Promise<ModelbenchModelDetails>;
  /** Brings one archive, or a folder with a model's files, into a store. Asks the user nothing. */
  import(source: string, options?: ImportOptions): Promise<ImportedModel>;
  /** Writes one version as an archive. Never overwrites. */
  export(tag: string, options: ExportOptions): Promise<ExportedModel>;
  /**
   * Moves versions into the store's trash, from where the user can bring them back. Every tag is `name:version` and is
   * looked up before the first one goes; a failure later on leaves those before it in the trash.
   */
  delete(tags: readonly string[], options?: InStore & Cancellable): Promise<readonly DeletedModel[]>;
  /** Fires after models came, went or changed, whoever did it. Takes what `vscode.Event` takes. */
  readonly onDidChangeModels: (
    listener: (change: ModelsChange) => unknown,
    thisArgs?: unknown,
    disposables?: { dispose(): unknown }[],
  ) => { dispose(): unknown };
  /** What `flax.serialization` does, without Python. */
  readonly flax: FlaxSerialization;
}

/** One of the open stores. */
export interface ModelbenchStore {
  /** `own`, `sample`, or `home:<absolute path>`; what the `store` of options and answers is. */
  readonly id: string;
  /** What the user sees. */
  readonly label: string;
  /** Absolute path, `BENTOML_HOME` for a `bentoml` that is to use this store. */
  readonly home: string;
}

/** Chooses a store. */
export interface InStore {
  /** Id of an open store; default: `own`. */
  readonly store?: string;
}

/** Chooses among the versions; what is left out chooses all. */
export interface ModelFilter extends InStore {
  /** Id of an open store; default: all of them. */
  readonly store?: string;
  readonly name?: string;
  /** Labels that a version must have, with these values. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** One version. */
export interface ModelbenchModel {
  readonly store: string;
  /** `name:version`. */
  readonly tag: string;
  readonly name: string;
  readonly version: string;
  /** `module` of model.yaml, for instance `bentoml.onnx`; empty for a bare model. */
  readonly module: string;
  /** Absolute path of its folder. */
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  /** Sum of its files. */
  readonly bytes: number;
  /** Whether `name:latest` means it. */
  readonly isLatest: boolean;
}

/** One version and what its files say of it. */
export interface ModelbenchModelDetails extends ModelbenchModel {
  readonly labels: Readonly<Record<string, string>>;
  /** Texts as they are, everything else as JSON text, so that integers stay exact. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly signatures: Readonly<Record<string, ModelbenchSignature>>;
  /** Relative to `path`. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

/** What can be called on a model. */
export interface ModelbenchSignature {
  readonly inputs: readonly ModelbenchValue[];
  readonly outputs: readonly ModelbenchValue[];
  readonly batchable: boolean;
  /** Batch axis of inputs and of outputs. */
  readonly batchDim: readonly [number, number];
}

/** One input or output. */
export interface ModelbenchValue {
  readonly name: string;
  readonly type: "tensor" | "sequence" | "map" | "optional";
  /** As numpy and ml_dtypes call it; `null` = not a tensor or not known. */
  readonly dtype: string | null;
  /** A number is fixed, a text names a dimension, `null` is an unnamed one; `null` as a whole = unknown rank. */
  readonly shape: readonly (number | string | null)[] | null;
}

/** Both kinds of cancelling: `AbortController.signal`, and the token of VS Code. */
export type CancelSignal =
  | {
      readonly aborted: boolean;
      addEventListener(type: "abort", listener: () => void): void;
      removeEventListener(type: "abort", listener: () => void): void;
    }
  | {
      readonly isCancellationRequested: boolean;
      onCancellationRequested(listener: () => unknown): { dispose(): unknown };
    };

/** Lets a call be cancelled; it rejects with `cancelled` then, and leaves nothing half done. */
export interface Cancellable {
  readonly signal?: CancelSignal;
}

/** Follows a call that may take long. */
export interface Followable extends Cancellable {
  readonly onProgress?: (progress: { readonly doneBytes: number; readonly totalBytes?: number }) => unknown;
}

/** How an archive comes in. */
export interface ImportOptions extends InStore, Followable {
  /** What happens when the tag is taken; default: `fail`, with the code `model.exists`. */
  readonly onConflict?: "fail" | "skip" | "replace" | "new-version";
}

/** What an import did. */
export interface ImportedModel {
  readonly store: string;
  readonly tag: string;
  readonly action: "imported" | "skipped" | "replaced" | "new-version";
  /** Sum of the model's files; 0 when skipped. */
  readonly bytes: number;
}

/** How a version goes out. */
export interface ExportOptions extends InStore, Followable {
  /** Absolute path of a file that is not there yet, or of a folder to put one into. */
  readonly destination: string;
  /** Default: what the destination's ending says, else `bentomodel`. */
  readonly format?: "bentomodel" | "tar" | "tar.gz" | "tar.xz" | "tar.bz2" | "zip" | "folder";
  /** `stored` = as it is; `small` = as small as can be, minutes a gigabyte. Default: what suits the format. */
  readonly compression?: "stored" | "small";
}

/** What an export wrote. */
export interface ExportedModel {
  readonly tag: string;
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

/** A version in the trash. */
export interface DeletedModel {
  readonly store: string;
  readonly tag: string;
  /** Its id in the trash. */
  readonly trash: string;
}

/** What became different. */
export interface ModelsChange {
  readonly store: string;
  /** Names whose versions came, went or changed; `all` after a store was opened, closed or read anew. */
  readonly names: readonly string[] | "all";
}

/** What the calls reject with. */
export interface ModelbenchFailure extends Error {
  readonly name: "ModelbenchError";
  /** Stable, for instance `model.notFound`; docs/api.md lists those to expect. */
  readonly code: string;
  /** One sentence: what the user can do. */
  readonly remedy?: string;
  /** The file or folder concerned. */
  readonly path?: string;
}

/** An array, or with `npscalar` a numpy scalar: dense, row-major, little-endian, a byte for each sub-byte element. */
export interface FlaxArray {
  readonly kind: "ndarray" | "npscalar";
  /** As numpy and ml_dtypes call it, for instance `bfloat16`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/**
 * What a flax MessagePack file holds. A `bigint` is Python's int and a `number` always a float; a `Map` is a dict with
 * keys of texts and integers, an array a list, a `Uint8Array` bytes.
 */
export type FlaxTree =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | FlaxArray
  | { readonly kind: "complex"; readonly re: number; readonly im: number }
  | { readonly kind: "ext"; readonly code: number; readonly data: Uint8Array }
  | readonly FlaxTree[]
  | ReadonlyMap<string | number, FlaxTree>;

/**
 * The functions of `flax.serialization`, by meaning. They are synchronous and work on bytes in memory. A failure is
 * thrown as a `ModelbenchFailure`: `usage` for what cannot be stored, `state.mismatch` for a state that does not fit
 * its target, with the path, `format.corrupt` and `budget.exceeded` for bytes that are no flax file.
 */
export interface FlaxSerialization {
  /** Bytes that flax restores with the same types. Arrays above `chunkBytes`, 2^30 unless said, are split as flax does. */
  msgpackSerialize(tree: FlaxTree, options?: { readonly chunkBytes?: number }): Uint8Array;
  /** The tree in such bytes; data of arrays are views of them where possible. */
  msgpackRestore(bytes: Uint8Array): FlaxTree;
  /** The state of an object: Maps and arrays become Maps with keys of text, registered objects what they say. */
  toStateDict(target: unknown): unknown;
  /**
   * A new object with the structure of `target` and the leaves of `state`. Leaf values of `target` are not used.
   * @param name starts the path in failures; `.` unless said
   */
  fromStateDict<T>(target: T, state: unknown, name?: string): T;
  /** `msgpackSerialize` of `toStateDict`. */
  toBytes(target: unknown): Uint8Array;
  /** `fromStateDict` of `msgpackRestore`; without a target (`null`) the tree as it is. */
  fromBytes<T>(target: T, bytes: Uint8Array): T;
  /**
   * Says how objects of exactly this class become states and come back.
   * @throws `usage` for a class that has a handler already, unless `override`
   */
  registerSerializationState<T>(
    type: abstract new (...args: never[]) => T,
    to: (target: T) => unknown,
    from: (target: T, state: unknown) => T,
    options?: { readonly override?: boolean },
  ): void;
  /** The same for a class whose fields, and nothing else, are its state, as those of `flax.struct.dataclass` are. */
  registerStruct<T extends object>(
    type: abstract new (...args: never[]) => T,
    fields: readonly (keyof T & string)[],
    make: (target: T, restored: ReadonlyMap<string, unknown>) => T,
  ): void;
  /** The path of what is being restored, for the failures of a handler. */
  currentPath(): string;
  /** Stands for a Python named tuple in targets. */
  readonly NamedTuple: new (
    typeName: string,
    fields: Iterable<readonly [string, unknown]>,
  ) => {
    readonly typeName: string;
    readonly fields: ReadonlyMap<string, unknown>;
  };
}
