import { basename, resolve } from "node:path";
import { ModelbenchError } from "../base/errors";
import type { FrameworkDraft } from "./adapter";

/**
 * Files go to the model's root under their own names.
 * @throws ModelbenchError `usage` when two would have the same
 * @see bentoml 1.4.39 models.create
 */
export function draftBare(files: readonly string[]): FrameworkDraft {
  const sources = files.map((file) => ({ from: resolve(file), to: basename(file) }));
  const names = sources.map(({ to }) => to);
  const clash = names.find((name, i) => name === "model.yaml" || names.indexOf(name) !== i);
  if (clash !== undefined) {
    throw new ModelbenchError("usage", `${clash}: this name would be there twice inside the model.`);
  }
  return {
    draft: {
      module: "",
      apiVersion: "v1",
      frameworkName: "",
      frameworkVersions: {},
      signatures: {},
      options: new Map(),
    },
    files: sources,
  };
}
