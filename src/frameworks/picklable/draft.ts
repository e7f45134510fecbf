import type { FrameworkDraft } from "../adapter";
import { draftSingleFile } from "../singleFile";

/** The release that a draft was compared with. */
const FRAMEWORK_VERSIONS = { cloudpickle: "3.1.2" } as const;

/**
 * The draft of a `bentoml.picklable_model` from the one pickle that holds the model.
 * @throws ModelbenchError `usage`
 * @see bentoml 1.4.39 _internal/frameworks/picklable_model.py save_model
 */
export function draftPicklable(files: readonly string[]): FrameworkDraft {
  return draftSingleFile(files, "A bentoml.picklable_model is saved from exactly one pickle.", {
    file: "saved_model.pkl",
    draft: {
      module: "bentoml.picklable_model",
      apiVersion: "v1",
      frameworkName: "cloudpickle",
      frameworkVersions: FRAMEWORK_VERSIONS,
      signatures: { __call__: { batchable: false, batchDim: [0, 0] } },
      options: new Map([["partial_kwargs", new Map()]]),
    },
  });
}
