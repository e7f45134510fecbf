import { PRIVATE_PREFIXES } from "../store/filter";
import type { FrameworkAdapter } from "./adapter";
import { filesOnlyAdapter } from "./filesOnly";
import { flaxAdapter } from "./flax/describe";
import { onnxAdapter } from "./onnx/describe";
import { picklableAdapter } from "./picklable/describe";
import { bentomlAdapter } from "./pythonAdapter";
import { sklearnAdapter } from "./sklearn/describe";

/** The fixed table: `module:` of model.yaml to adapter. Nothing that a model names is ever imported. */
const ADAPTERS: readonly FrameworkAdapter[] = [
  onnxAdapter,
  picklableAdapter,
  flaxAdapter,
  sklearnAdapter,
  bentomlAdapter("bentoml.pytorch", "pytorch", ["torch"]),
  bentomlAdapter("bentoml.torchscript", "torchscript", ["torch"]),
  bentomlAdapter("bentoml.pytorch_lightning", "lightning", ["torch"], ["pytorch-lightning", "lightning"]),
  bentomlAdapter("bentoml.xgboost", "xgboost", ["xgboost", "xgboost-cpu"]),
  bentomlAdapter("bentoml.lightgbm", "lightgbm", ["lightgbm"]),
  bentomlAdapter("bentoml.catboost", "catboost", ["catboost"]),
  bentomlAdapter("bentoml.tensorflow", "tensorflow", ["tensorflow", "tensorflow-cpu"]),
  bentomlAdapter("bentoml.keras", "keras", ["keras"], ["tensorflow", "tensorflow-cpu"]),
  bentomlAdapter("bentoml.transformers", "transformers", ["transformers"]),
  bentomlAdapter("bentoml.diffusers", "diffusers", ["diffusers"]),
  bentomlAdapter("bentoml.mlflow", "mlflow", ["mlflow", "mlflow-skinny"]),
  bentomlAdapter("bentoml.fastai", "fastai", ["fastai"]),
  bentomlAdapter("bentoml.easyocr", "easyocr", ["easyocr"]),
  bentomlAdapter("bentoml.detectron", "detectron", ["detectron2"]),
  bentomlAdapter("bentoml.tensorflow_v1", "tensorflow", ["tensorflow", "tensorflow-cpu"]),
  filesOnlyAdapter("", "files"),
];

/** The adapter for a `module:` value, by its public or private name; `undefined` for one we do not know. */
export function adapterFor(module: string): FrameworkAdapter | undefined {
  const prefix = PRIVATE_PREFIXES.find((known) => module.startsWith(known));
  const name = prefix === undefined ? module : `bentoml.${module.slice(prefix.length)}`;
  return ADAPTERS.find((adapter) => adapter.module === name);
}

/** Why a model of this module cannot run here, in one sentence; `undefined` when it can. */
export function whyNotRunnable(module: string): string | undefined {
  const adapter = adapterFor(module);
  if (adapter?.runnable) return undefined;
  if (adapter?.needs === "nothing") return "A model without a framework has no method to run.";
  return `${module} is a framework that this version does not know.`;
}
