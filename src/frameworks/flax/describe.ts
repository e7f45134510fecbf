import type { FrameworkAdapter } from "../adapter";
import { entryFileOf } from "../entryFile";
import { pythonAdapter } from "../pythonAdapter";

/** File that BentoML keeps the state dict in. @see bentoml 1.4.39 _internal/frameworks/flax.py */
const FLAX_MODEL_FILE = "saved_model.msgpack";

/** Models of `bentoml.flax`: the weights are read here, the module beside them is a pickle that only Python loads. */
export const flaxAdapter: FrameworkAdapter = {
  ...pythonAdapter("bentoml.flax", "flax", {
    worker: "flax",
    needs: [["flax"], ["jax"], ["jaxlib"], ["cloudpickle"]],
    dtype: "float32",
    isCpuOnly: false,
  }),
  entryFile: (model) => entryFileOf(model, FLAX_MODEL_FILE),
};
