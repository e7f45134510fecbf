import { join } from "node:path";
import { ModelbenchError, type Warning } from "../../base/errors";
import { FolderFiles, plainLocation } from "../folderFiles";
import type { TensorHeader } from "./tensorHeader";

/** External data of one tensor, found and within bounds. */
export interface ExternalData {
  /** Absolute path without symbolic links. */
  readonly path: string;
  /** The location as stored, normalised to `a/b`. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** What became of a reference: the data, or why it is not touched. */
export type ExternalResult =
  | { readonly ok: true; readonly data: ExternalData }
  | { readonly ok: false; readonly problem: Warning };

/** The failure of what cannot go on without a tensor's external data, from the warning that says why. */
export function unreachable({ message, path }: Warning): ModelbenchError {
  return new ModelbenchError("onnx.external", message, {
    path,
    remedy: "Put the data files beside the .onnx file, as it names them, or export the model in one file.",
  });
}

/** @throws ModelbenchError `onnx.external` when one of a model's warnings is about external data */
export function refuseUnreachable(warnings: readonly Warning[]): void {
  const problem = warnings.find(({ code }) => code.startsWith("onnx.external."));
  if (problem) throw unreachable(problem);
}

/**
 * Resolves the external data of models in one folder. A location must be relative, stay inside the folder also
 * after symbolic links, and name a regular file; offset and length must be decimal, fit the shape and the file.
 * Nothing is opened. Problems have the codes `onnx.external.path`, `.missing`, `.file` and `.range`.
 */
export class ExternalFolder {
  readonly #folder: string;
  readonly #files: FolderFiles;

  constructor(folder: string) {
    this.#folder = folder;
    this.#files = new FolderFiles(folder);
  }

  /** Looks one tensor's reference up; the tensor must have one. */
  resolve(tensor: TensorHeader): ExternalResult {
    const location = plainLocation(tensor.external?.location ?? "");
    const fail = (code: string, what: string): ExternalResult => ({
      ok: false,
      problem: {
        code: `onnx.external.${code}`,
        message: `Tensor ${JSON.stringify(tensor.name)}: its external data ${what}.`,
        path: join(this.#folder, location ?? ""),
      },
    });
    const stored = JSON.stringify(tensor.external?.location ?? "");
    if (location === undefined)
      return fail("path", `at ${stored} is not a plain relative path inside the model's folder`);
    const file = this.#files.find(location);
    if ("code" in file) return fail(file.code, `at ${stored} ${file.message}`);
    const offset = decimal(tensor.external?.offset ?? "0");
    if (offset === undefined)
      return fail("range", `has the impossible offset ${JSON.stringify(tensor.external?.offset)}`);
    const length = tensor.external?.length === undefined ? tensor.bytes : decimal(tensor.external.length);
    if (length === undefined)
      return fail("range", `has the impossible length ${JSON.stringify(tensor.external?.length)}`);
    if (length !== tensor.bytes) return fail("range", `has ${length} bytes, but its shape needs ${tensor.bytes}`);
    if (offset + length > file.size) {
      return fail("range", `ends at byte ${offset + length} of ${stored}, which has only ${file.size}`);
    }
    return { ok: true, data: { path: file.path, location, offset, length } };
  }
}

function decimal(text: string): number | undefined {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}
