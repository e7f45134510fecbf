import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import type { StoredModel } from "../store/model";
import { statOf } from "../store/modelFiles";

/** A file that a framework keeps in every model, absolute. @throws ModelbenchError `model.broken` when it is not there */
export function entryFileOf(model: StoredModel, file: string): string {
  const path = join(model.path, file);
  if (!statOf(path)?.isFile()) {
    throw new ModelbenchError("model.broken", `${model.path}: has no file ${file}.`, { path });
  }
  return path;
}
