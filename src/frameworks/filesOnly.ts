import type { MethodSignature } from "../formats/tensor";
import type { FrameworkAdapter, RunNeeds } from "./adapter";

/**
 * An adapter for models that this version shows but does not run: its methods are the rows of model.yaml, without
 * inputs.
 */
export function filesOnlyAdapter(module: string, label: string, needs: RunNeeds): FrameworkAdapter {
  return {
    module,
    label,
    needs,
    runnable: false,
    signatures(model) {
      const rows = [...model.info.signatures].map(([method, row]): [string, MethodSignature] => {
        return [method, { inputs: [], outputs: [], ...row, source: "model.yaml" }];
      });
      return Object.fromEntries(rows);
    },
  };
}
