import type { FrameworkAdapter } from "../adapter";
import { pythonAdapter } from "../pythonAdapter";

/** Models of `bentoml.picklable_model`: any Python object. */
export const picklableAdapter: FrameworkAdapter = pythonAdapter("bentoml.picklable_model", "picklable", {
  worker: "picklable",
  needs: [["cloudpickle"]],
  dtype: "float64",
  isCpuOnly: true,
});
