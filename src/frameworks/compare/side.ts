import { basename, dirname } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { fileSize } from "../../formats/fileReader";
import type { FileFormat } from "../../formats/sniff";
import type { StoredModel } from "../../store/model";
import { formatTag } from "../../store/tag";
import type { FileContent } from "../content";
import { openContent } from "../contentFormats";
import { modelFormat } from "../inspect";
import { type InspectedFile, openModelContent } from "../modelContent";
import { toldByTensors } from "./told";

/** What may be compared: a file, by its absolute path, or a version that was read. */
export type Comparable =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "model"; readonly model: StoredModel };

/** One side of a comparison, opened by its headers. */
export interface Side {
  /** The file's name, or the version's tag. */
  readonly name: string;
  readonly format: FileFormat;
  /** Absolute: of the file, or of the version's folder. */
  readonly path: string;
  /** The folder that `tensors[].file` is relative to. */
  readonly folder: string;
  readonly bytes: number;
  readonly files: readonly InspectedFile[];
  /** The paths of those of which tensors and metadata tell everything. */
  readonly told: ReadonlySet<string>;
  readonly content: FileContent;
  /** Left out for a bare file. */
  readonly model?: StoredModel;
}

/**
 * Opens one side; `content.close` closes it.
 * @throws ModelbenchError those of `openContent` and `openModelContent`; `format.mismatch` for an archive
 */
export function openSide(what: Comparable): Side {
  if (what.kind === "model") {
    const { model } = what;
    const content = openModelContent(model);
    const bytes = content.files.reduce((sum, file) => sum + file.bytes, 0);
    const place = { path: model.path, folder: model.path };
    return {
      name: formatTag(model.tag),
      format: modelFormat(model),
      ...place,
      bytes,
      files: content.files,
      told: toldByTensors(model.path, content.files, content.warnings),
      content,
      model,
    };
  }
  const { path } = what;
  const bytes = fileSize(path);
  const { format, content } = openContent(path);
  if (format === "archive") {
    content.close();
    throw new ModelbenchError("format.mismatch", `${path}: an archive cannot be compared.`, {
      path,
      remedy: "Import it, then compare the version.",
    });
  }
  const name = basename(path);
  const files = [{ path: name, bytes, format, ...(content.pickle && { pickle: content.pickle }) }];
  const folder = dirname(path);
  return { name, format, path, folder, bytes, files, told: toldByTensors(folder, files, content.warnings), content };
}
