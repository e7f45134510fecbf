import { basename, resolve } from "node:path";
import { ModelbenchError } from "../base/errors";
import type { MethodSignature } from "../formats/tensor";
import type { FrameworkAdapter, FrameworkDraft, RunNeeds } from "./adapter";

/**
 * An adapter for models that this version shows but does not run: its methods are the rows of model.yaml, without
 * inputs.
 * @param draft makes one from files; left out where this version saves none
 */
export function filesOnlyAdapter(
  module: string,
  label: string,
  needs: RunNeeds,
  draft?: FrameworkAdapter["draft"],
): FrameworkAdapter {
  return {
    module,
    label,
    needs,
    runnable: false,
    signatures(model) {
      const rows = [...model.info.signatures].map(([method, row]): [string, MethodSignature] => {
        return [method, { inputs: [], outputs: [], ...row, source: "model.yaml" }];
      });
      return Object.fromEntries(rows);
    },
    ...(draft ? { draft } : {}),
  };
}

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
