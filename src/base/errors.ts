/**
 * Every failure a user, a script or the page can meet, as a closed list: tests, logs and the page match on
 * the code, never on the text. Each line says what causes it; `guard.ts` in the extension and `main.ts` in the
 * CLI are the only places that turn one into words.
 */
export type ErrorCode =
  /** The user dismissed a prompt or pressed Cancel. Silent. */
  | "cancelled"
  /** A command line, or a call of another extension, that cannot be understood. CLI exit 2. */
  | "usage"
  /** A bug of ours: something that no input should reach. */
  | "internal"
  /** A name or version outside BentoML's grammar. */
  | "tag.invalid"
  /** A version prefix that fits several versions. */
  | "tag.ambiguous"
  /** No such model or version in this store. */
  | "model.notFound"
  /** The target version already exists. */
  | "model.exists"
  /** A version that a bento of the same store needs. */
  | "model.inUse"
  /** A folder in the store that is not a readable model. */
  | "model.broken"
  /** A file of a model that is not what it was when the model was saved here. */
  | "model.changed"
  /** The model's module is not the one the caller or the adapter expects. */
  | "model.framework"
  /** YAML that PyYAML would refuse, or a model.yaml that BentoML would refuse. */
  | "yaml.invalid"
  /** The store's folder is not readable or not writable. */
  | "store.access"
  /** Staging and the target are on different devices; nothing is copied across. */
  | "store.crossDevice"
  /** Nothing in the trash under that tag. */
  | "trash.notFound"
  /** An archive whose members, names, links, sizes or tag may not enter the store. */
  | "archive.unsafe"
  /** An archive that is damaged or cut short. */
  | "archive.corrupt"
  /** An archive format that this version does not read or write. */
  | "archive.format"
  /** A limit on bytes, nodes, depth or time was reached while decoding. */
  | "budget.exceeded"
  /** A file that is not what its extension claims. */
  | "format.mismatch"
  /** A file of a known format that is damaged. */
  | "format.corrupt"
  /** A tensor whose values cannot be read: an unknown type, objects, or external data out of reach. */
  | "tensor.unreadable"
  /** A conversion that would leave something out. */
  | "convert.lossy"
  /** No tensor of that name in a file or model. */
  | "tensor.notFound"
  /** A file, folder or dataset that does not exist or cannot be read or written. */
  | "file.access"
  /** A state dict whose structure is not that of the object it is to be restored into. */
  | "state.mismatch"
  /** `--input` or a form value that is neither a file nor JSON, or a required input left out. */
  | "input.notFound"
  /** An input the method does not declare. */
  | "input.name"
  /** An input whose rank or dimensions differ from the declared ones. */
  | "input.shape"
  /** An input whose dtype differs, or a value that its dtype cannot hold. */
  | "input.dtype"
  /** The model has no such method. */
  | "method.notFound"
  /** The device is not there or not supported in this version. */
  | "device.unavailable"
  /** The model cannot run in this version (for instance: it needs Python). */
  | "run.unsupported"
  /** The runtime refused the model or failed in the middle of a run. */
  | "run.failed"
  /** A result kept in the runner that is gone: the runner was reloaded, or newer results needed the room. */
  | "result.gone"
  /** More requests wait for a loaded model than are kept, or a request would wait longer than the limit of its wait. */
  | "run.busy"
  /** Trust is missing: Restricted Mode, or no consent. */
  | "trust.required"
  /** No Python interpreter, or one that lacks a package the model needs. */
  | "python.missing"
  /** A module that the model's Python code needs and the interpreter does not find. */
  | "python.module"
  /** A child process ended or stopped answering. */
  | "worker.died"
  /** The other side of a boundary speaks another version. */
  | "protocol.version"
  /** The other side of a boundary sent something malformed. */
  | "protocol.invalid"
  /** External data of an ONNX model that leaves its folder, is missing or has impossible bounds. */
  | "onnx.external";

/** What a failure may say beyond its message. */
export interface ErrorDetails {
  /** One sentence: what the user can do. */
  readonly remedy?: string | undefined;
  /** The file or folder concerned. */
  readonly path?: string | undefined;
  /** Byte offset in `path`, or a character offset for text formats. */
  readonly offset?: number | undefined;
  readonly cause?: unknown;
}

/** A failure with a code, a message that names what failed and what was expected, and maybe a remedy. */
export class ModelbenchError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly path: string | undefined;
  readonly offset: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ModelbenchError";
    this.code = code;
    this.remedy = details.remedy;
    this.path = details.path;
    this.offset = details.offset;
  }

  /** By name: every bundle has a copy of this class, and one bundle's failure is caught in another. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "ModelbenchError";
  }
}

/** A failure as plain data, for frames, messages and `-o json`. Never holds a stack. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy?: string;
  readonly path?: string;
  readonly offset?: number;
}

/** A remark that fails nothing; `code` is stable, for instance `tag.mismatch` or `onnx.external.missing`. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly offset?: number;
}

/** The plain form of any thrown value; what is not ours becomes `internal` with its message only. */
export function toWireError(error: unknown): WireError {
  if (error instanceof ModelbenchError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      ...(error.path === undefined ? {} : { path: error.path }),
      ...(error.offset === undefined ? {} : { offset: error.offset }),
    };
  }
  if (error instanceof Error && error.name === "AbortError") return { code: "cancelled", message: "Cancelled." };
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}

/** The thrown form of a wire error. */
export function fromWireError(wire: WireError): ModelbenchError {
  return new ModelbenchError(wire.code, wire.message, wire);
}

/** @throws ModelbenchError `cancelled` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ModelbenchError("cancelled", "Cancelled.");
}
