import { basename, dirname, join, resolve } from "node:path";
import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { statOf } from "../../store/modelFiles";
import type { FrameworkDraft } from "../adapter";

/** The releases that a draft was compared with. */
const FRAMEWORK_VERSIONS = { flax: "0.12.8", jax: "0.10.2", jaxlib: "0.10.2" } as const;

/** Where BentoML keeps what a model needs beside its weights; for flax the module itself. */
const CUSTOM_OBJECTS = "custom_objects.pkl";
/** The key of the module among those objects. */
const MODULE_KEY = "_module";
/** How much of the objects is searched for the key: pickles write keys before what they stand for. */
const SEARCHED_BYTES = 64 * 2 ** 20;

/**
 * The draft of a `bentoml.flax` model from a `.msgpack` file and the `custom_objects.pkl` beside it, which holds the
 * module: without it BentoML cannot load the model.
 * @throws ModelbenchError `usage` when there is no such file
 * @see bentoml 1.4.39 _internal/frameworks/flax.py save_model
 */
export function draftFlax(files: readonly string[], open: (path: string) => PositionalReader): FrameworkDraft {
  const [weights, ...more] = files.filter((file) => basename(file) !== CUSTOM_OBJECTS);
  if (weights === undefined || more.length > 0 || !/\.msgpack$/i.test(weights)) {
    throw new ModelbenchError("usage", "A bentoml.flax model is saved from exactly one .msgpack file.");
  }
  const given = files.find((file) => basename(file) === CUSTOM_OBJECTS);
  const objects = given ?? flaxModuleBeside(weights, open);
  if (objects === undefined) {
    throw new ModelbenchError("usage", `${weights}: there is no ${CUSTOM_OBJECTS} with a ${MODULE_KEY} beside it.`, {
      path: weights,
      remedy: "Weights alone are kept as they are: --module ''.",
    });
  }
  return {
    draft: {
      module: "bentoml.flax",
      apiVersion: "v1",
      frameworkName: "flax",
      frameworkVersions: FRAMEWORK_VERSIONS,
      signatures: { __call__: { batchable: false, batchDim: [0, 0] } },
      options: new Map([["partial_kwargs", new Map()]]),
    },
    files: [
      { from: resolve(weights), to: "saved_model.msgpack" },
      { from: resolve(objects), to: CUSTOM_OBJECTS },
    ],
  };
}

/** The objects beside weights, if they name a module. They are searched for its key and never loaded. */
export function flaxModuleBeside(weights: string, open: (path: string) => PositionalReader): string | undefined {
  const path = join(dirname(resolve(weights)), CUSTOM_OBJECTS);
  if (!statOf(path)?.isFile()) return undefined;
  const reader = open(path);
  try {
    const bytes = reader.read(0, Math.min(reader.size, SEARCHED_BYTES));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(MODULE_KEY) ? path : undefined;
  } finally {
    if ("close" in reader && typeof reader.close === "function") reader.close();
  }
}
