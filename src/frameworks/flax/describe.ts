import type { FrameworkAdapter } from "../adapter";
import { entryFileOf } from "../entryFile";
import { filesOnlyAdapter } from "../filesOnly";

/** File that BentoML keeps the state dict in. @see bentoml 1.4.39 _internal/frameworks/flax.py */
const FLAX_MODEL_FILE = "saved_model.msgpack";

/** What this version knows about models of `bentoml.flax`: the weights are shown; the module would have to run. */
export const flaxAdapter: FrameworkAdapter = {
  ...filesOnlyAdapter("bentoml.flax", "flax", "code"),
  entryFile: (model) => entryFileOf(model, FLAX_MODEL_FILE),
};
