import type { FrameworkDraft } from "../adapter";
import { draftSingleFile } from "../singleFile";

/** The release that a draft was compared with. */
const FRAMEWORK_VERSIONS = { "scikit-learn": "1.9.1" } as const;

/**
 * The draft of a `bentoml.sklearn` model from the one file that joblib wrote.
 * @throws ModelbenchError `usage`
 * @see bentoml 1.4.39 _bentoml_impl/frameworks/sklearn.py save_model
 */
export function draftSklearn(files: readonly string[]): FrameworkDraft {
  return draftSingleFile(files, "A bentoml.sklearn model is saved from exactly one pickle.", {
    file: "saved_model.pkl",
    draft: {
      module: "bentoml.sklearn",
      apiVersion: "v1",
      frameworkName: "sklearn",
      frameworkVersions: FRAMEWORK_VERSIONS,
      signatures: { predict: { batchable: false, batchDim: [0, 0] } },
      options: new Map(),
    },
  });
}
