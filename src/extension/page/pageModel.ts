import type { ProvenanceView, VersionsView } from "../../../webview/protocol/madeViews";
import type { ModelView, Row } from "../../../webview/protocol/views";
import { fromWireError } from "../../base/errors";
import type { BrokenFacts } from "../../frameworks/brokenFacts";
import type { ModelFacts } from "../../frameworks/modelFacts";
import type { ProvenanceFacts } from "../../frameworks/provenanceFacts";
import type { ModelSummary } from "../../store/model";
import type { ModelRef } from "../services";
import { failureView } from "./failureView";
import { methodView } from "./methodView";

/** Most files that the page lists; the others are counted. */
const LISTED_FILES = 1000;

/**
 * The details of a model from what the jobs process read and what the listing knows.
 * @param versions left out where there is no Python to compare with
 */
export function modelView(
  ref: ModelRef,
  facts: ModelFacts,
  bentos: readonly string[],
  listed: ModelSummary | undefined,
  versions: VersionsView | undefined,
): ModelView {
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
    files: facts.files.slice(0, LISTED_FILES).map(({ path, bytes }) => ({ path, bytes })),
    moreFiles: Math.max(0, facts.files.length - LISTED_FILES),
    methods: Object.entries(facts.signatures).map(([name, signature]) => methodView(name, signature)),
    pinned: facts.stored.pinned,
    origin: { kind: facts.stored.origin.kind, atMs: facts.stored.origin.atMs, from: facts.stored.origin.from ?? null },
    bentos: [...bentos],
    release: facts.stored.release,
    notes: facts.stored.notes,
    metadataJson: facts.stored.metadataJson.map(([key, json]) => ({ key, json })),
    declared: Object.entries(facts.stored.methods).map(([name, { batchable, batchDim }]) => ({
      name,
      batchable,
      batchDim: [batchDim[0], batchDim[1]],
    })),
    provenance: facts.provenance ? provenanceView(facts.provenance) : null,
    versions: versions ?? null,
    customObjects: facts.stored.customObjects && [...facts.stored.customObjects],
    partialKwargs: facts.stored.partialKwargs?.map(([key, json]) => ({ key, json })) ?? null,
    onnx: facts.onnx ? { ...facts.onnx, opsets: rows(facts.onnx.opsets), ops: [...facts.onnx.ops] } : null,
    warnings: facts.warnings.map(({ code, message }) => ({ code, message })),
    broken: facts.broken ? failureView(fromWireError(facts.broken)) : null,
    unread: false,
    fault: null,
  };
}

/** What can be shown of a model whose model.yaml cannot be read: its files, the failure, and where in the file it is. */
export function brokenView(ref: ModelRef, path: string, facts: BrokenFacts, error: unknown): ModelView {
  return {
    tag: ref.tag,
    store: ref.store,
    isLatest: false,
    framework: "",
    module: "",
    path,
    sizeBytes: facts.sizeBytes,
    createdMs: null,
    labels: [],
    metadata: [],
    context: [],
    options: [],
    files: facts.files.map((file) => ({ path: file.path, bytes: file.bytes })),
    moreFiles: facts.moreFiles,
    methods: [],
    pinned: false,
    origin: null,
    bentos: [],
    release: "",
    notes: "",
    metadataJson: [],
    declared: [],
    provenance: null,
    versions: null,
    customObjects: [],
    partialKwargs: null,
    onnx: null,
    warnings: [],
    broken: failureView(error),
    unread: true,
    fault: facts.fault ? { ...facts.fault } : null,
  };
}

function provenanceView({ expression, script, git, data }: ProvenanceFacts): ProvenanceView {
  const commit = git && {
    hash: git.commit,
    branch: git.branch ?? null,
    isDirty: git.isDirty ?? null,
    remote: git.remote ?? null,
    script: git.script,
  };
  return { expression, script: { ...script }, commit: commit ?? null, data: data.map((file) => ({ ...file })) };
}

function rows(pairs: readonly (readonly [string, string])[]): Row[] {
  return pairs.map(([key, value]) => ({ key, value }));
}
