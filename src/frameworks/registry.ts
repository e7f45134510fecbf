import type { FrameworkAdapter } from "./adapter";
import { filesOnlyAdapter } from "./filesOnly";
import { flaxAdapter } from "./flax/describe";
import { onnxAdapter } from "./onnx/describe";

/** The fixed table: `module:` of model.yaml to adapter. Nothing that a model names is ever imported. */
const ADAPTERS: readonly FrameworkAdapter[] = [
  onnxAdapter,
  filesOnlyAdapter("bentoml.picklable_model", "picklable", "code"),
  flaxAdapter,
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
