import type { ModelView, Row } from "../../../webview/protocol/views";
import { fromWireError } from "../../base/errors";
import type { ModelFacts } from "../../frameworks/modelFacts";
import type { ModelSummary } from "../../store/model";
import type { ModelRef } from "../services";
import { failureView } from "./failureView";
import { methodView } from "./methodView";

/** The details of a model from what the jobs process read and what the listing knows. */
export function modelView(ref: ModelRef, facts: ModelFacts, listed: ModelSummary | undefined): ModelView {
  return {
    tag: ref.tag,
    store: ref.store,
    isLatest: listed?.isLatest ?? false,
    framework: facts.framework,
    module: facts.module,
    path: facts.path,
    sizeBytes: facts.files.reduce((sum, { bytes }) => sum + bytes, 0),
    createdMs: facts.createdMs,
    labels: rows(facts.labels),
    metadata: rows(facts.metadata),
    context: rows(facts.context),
    options: rows(facts.options),
    files: facts.files.map(({ path, bytes }) => ({ path, bytes })),
    methods: Object.entries(facts.signatures).map(([name, signature]) => methodView(name, signature)),
    onnx: facts.onnx ? { ...facts.onnx, opsets: rows(facts.onnx.opsets), ops: [...facts.onnx.ops] } : null,
    warnings: facts.warnings.map(({ code, message }) => ({ code, message })),
    broken: facts.broken ? failureView(fromWireError(facts.broken)) : null,
  };
}

/** What can be shown of a model whose model.yaml cannot be read: the listing's knowledge and the failure. */
export function brokenView(ref: ModelRef, path: string, listed: ModelSummary | undefined, error: unknown): ModelView {
  return {
    tag: ref.tag,
    store: ref.store,
    isLatest: listed?.isLatest ?? false,
    framework: "",
    module: listed?.module ?? "",
    path,
    sizeBytes: listed?.sizeBytes ?? 0,
    createdMs: listed?.creationMs ?? null,
    labels: [],
    metadata: [],
    context: [],
    options: [],
    files: [],
    methods: [],
    onnx: null,
    warnings: [],
    broken: failureView(error),
  };
}

function rows(pairs: readonly (readonly [string, string])[]): Row[] {
  return pairs.map(([key, value]) => ({ key, value }));
}
