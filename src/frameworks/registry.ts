import { ModelbenchError } from "../base/errors";
import { openFileReader } from "../formats/fileReader";
import type { FrameworkAdapter, FrameworkDraft } from "./adapter";
import { filesOnlyAdapter } from "./filesOnly";
import { onnxAdapter } from "./onnx/describe";

/** The fixed table: `module:` of model.yaml to adapter. Nothing that a model names is ever imported. */
const ADAPTERS: readonly FrameworkAdapter[] = [
  onnxAdapter,
  filesOnlyAdapter("bentoml.picklable_model", "picklable", "code"),
  filesOnlyAdapter("bentoml.flax", "flax", "code"),
  filesOnlyAdapter("bentoml.sklearn", "sklearn", "code"),
  filesOnlyAdapter("bentoml.pytorch", "pytorch", "code"),
  filesOnlyAdapter("bentoml.torchscript", "torchscript", "code"),
  filesOnlyAdapter("bentoml.pytorch_lightning", "lightning", "code"),
  filesOnlyAdapter("bentoml.xgboost", "xgboost", "code"),
  filesOnlyAdapter("bentoml.lightgbm", "lightgbm", "code"),
  filesOnlyAdapter("bentoml.catboost", "catboost", "code"),
  filesOnlyAdapter("bentoml.tensorflow", "tensorflow", "code"),
  filesOnlyAdapter("bentoml.keras", "keras", "code"),
  filesOnlyAdapter("bentoml.transformers", "transformers", "code"),
  filesOnlyAdapter("bentoml.diffusers", "diffusers", "code"),
  filesOnlyAdapter("bentoml.mlflow", "mlflow", "code"),
  filesOnlyAdapter("bentoml.fastai", "fastai", "code"),
  filesOnlyAdapter("bentoml.easyocr", "easyocr", "code"),
  filesOnlyAdapter("bentoml.detectron", "detectron", "code"),
  filesOnlyAdapter("bentoml.tensorflow_v1", "tensorflow", "code"),
  filesOnlyAdapter("", "files", "nothing"),
];

/** BentoML also writes and accepts the module's private path. */
const PRIVATE_PREFIX = "bentoml._internal.frameworks.";

/** The adapter for a `module:` value, by its public or private name; `undefined` for one we do not know. */
export function adapterFor(module: string): FrameworkAdapter | undefined {
  const name = module.startsWith(PRIVATE_PREFIX) ? `bentoml.${module.slice(PRIVATE_PREFIX.length)}` : module;
  return ADAPTERS.find((adapter) => adapter.module === name);
}

/** Why a model of this module cannot run here, in one sentence; `undefined` when it can. */
export function whyNotRunnable(module: string): string | undefined {
  const adapter = adapterFor(module);
  if (adapter?.runnable) return undefined;
  if (adapter?.needs === "nothing") return "A model without a framework has no method to run.";
  return `${module === "" ? "This model" : module} needs your Python: not in this version.`;
}

/**
 * The framework's part of a draft for these source files: `.onnx` makes a `bentoml.onnx` model. With `module` the
 * caller decides; the empty module keeps any files as they are.
 * @throws ModelbenchError `usage` when no adapter can draft them, or the adapter's own failure
 */
export function draftFromFiles(files: readonly string[], module?: string): FrameworkDraft {
  const wanted = module ?? (files.some((file) => /\.onnx$/i.test(file)) ? "bentoml.onnx" : undefined);
  const adapter = wanted === undefined ? undefined : adapterFor(wanted);
  if (adapter?.draft) return adapter.draft(files, openFileReader);
  throw new ModelbenchError(
    "usage",
    wanted === undefined
      ? `${files.join(", ")}: this version saves .onnx files.`
      : `Saving a model of module ${JSON.stringify(wanted)} is not in this version.`,
    { remedy: "Name an .onnx file, or keep the files as they are: --module ''." },
  );
}
