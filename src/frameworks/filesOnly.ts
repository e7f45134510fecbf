import type { MethodSignature } from "../formats/tensor";
import type { StoredModel } from "../store/model";
import type { FrameworkAdapter } from "./adapter";

/** An adapter for models that are files and nothing else: what methods model.yaml may name, nothing runs them. */
export function filesOnlyAdapter(module: string, label: string): FrameworkAdapter {
  return { module, label, needs: "nothing", runnable: false, engine: undefined, signatures: namedMethods };
}

/** The methods that model.yaml names; nothing is known of what they take. */
export function namedMethods(model: StoredModel): Readonly<Record<string, MethodSignature>> {
  const rows = [...model.info.signatures].map(([method, row]): [string, MethodSignature] => {
    return [method, { inputs: [], outputs: [], ...row, source: "model.yaml" }];
  });
  return Object.fromEntries(rows);
}
