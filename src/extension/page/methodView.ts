import type { MethodView, SpecView } from "../../../webview/protocol/views";
import type { MethodSignature, ValueSpec } from "../../formats/tensor";

/** A method as the page shows it. */
export function methodView(name: string, signature: MethodSignature): MethodView {
  return {
    name,
    inputs: signature.inputs.map(specView),
    outputs: signature.outputs.map(specView),
    batchable: signature.batchable,
    batchDim: [signature.batchDim[0], signature.batchDim[1]],
    source: signature.source,
    isOpen: signature.isOpen === true,
  };
}

function specView({ name, type, dtype, shape }: ValueSpec): SpecView {
  return { name, type, dtype, shape: shape === null ? null : [...shape] };
}
