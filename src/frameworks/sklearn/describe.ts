import type { FrameworkAdapter } from "../adapter";
import { pythonAdapter } from "../pythonAdapter";

/** Models of `bentoml.sklearn`, written by joblib. */
export const sklearnAdapter: FrameworkAdapter = pythonAdapter("bentoml.sklearn", "sklearn", {
  worker: "sklearn",
  needs: [["scikit-learn"], ["joblib"]],
  dtype: "float64",
  isCpuOnly: true,
});
