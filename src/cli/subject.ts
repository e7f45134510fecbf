import { statSync } from "node:fs";
import { basename } from "node:path";
import { ModelbenchError, type Warning } from "../base/errors";
import { refuseUnreachable } from "../formats/onnx/externalData";
import { type ExampleInputs, exampleInputs } from "../frameworks/example";
import { type InspectDocument, inspectFile, inspectModel } from "../frameworks/inspect";
import { adapterFor, whyNotRunnable } from "../frameworks/registry";
import type { LoadRequest } from "../runner/protocol";
import { readModelFolder } from "../store/lookup";
import type { StoredModel } from "../store/model";
import { ModelStore } from "../store/modelStore";
import { formatTag } from "../store/tag";
import type { Target } from "./target";

/** What a `TAG|FILE` operand opens: a model (stored, or a folder anywhere) or a bare file. */
export type Subject =
  | { readonly kind: "model"; readonly model: StoredModel }
  | { readonly kind: "file"; readonly path: string };

/** @throws ModelbenchError what the store throws; `model.broken` for a folder without model.yaml */
export function openSubject(home: string, target: Target): Subject {
  if (target.kind === "tag") return { kind: "model", model: new ModelStore(home).get(target.tag) };
  return statSync(target.path).isDirectory() ? { kind: "model", model: readModelFolder(target.path) } : target;
}

/** Something that can be run: what to load, and values to fill in where none are given. */
export interface Runnable {
  readonly request: LoadRequest;
  readonly examples: Readonly<Record<string, ExampleInputs>>;
  readonly warnings: readonly Warning[];
}

/** @throws ModelbenchError `run.unsupported`, `model.broken`, `onnx.external`, or what reading the header throws */
export function runnable(subject: Subject, device: string): Runnable {
  const ready = subject.kind === "model" ? readyModel(subject.model, device) : readyFile(subject.path, device);
  refuseUnreachable(ready.warnings);
  return ready;
}

function readyModel(model: StoredModel, device: string): Runnable {
  const { module, metadata } = model.info;
  const label = formatTag(model.tag);
  const adapter = adapterFor(module);
  const entry = adapter?.runnable ? adapter.entryFile?.(model) : undefined;
  if (adapter === undefined || entry === undefined) throw cannotRun(label, whyNotRunnable(module), model.path);
  const { signatures, warnings } = inspectModel(model);
  return {
    request: loadRequest(label, adapter.label, entry, device, signatures),
    examples: exampleInputs(signatures, metadata),
    warnings,
  };
}

function readyFile(path: string, device: string): Runnable {
  const { format, signatures, warnings } = inspectFile(path);
  if (format !== "onnx") throw cannotRun(basename(path), `This version runs ONNX files; this is ${format}.`, path);
  return {
    request: loadRequest(basename(path), format, path, device, signatures),
    examples: exampleInputs(signatures, new Map()),
    warnings,
  };
}

function cannotRun(label: string, reason: string | undefined, path: string): ModelbenchError {
  return new ModelbenchError("run.unsupported", `${label}: ${reason ?? "This version cannot run it."}`, { path });
}

/** One request at a time gains nothing from a batcher's limit; it is BentoML's own default. */
const MAX_BATCH_SIZE = 100;

function loadRequest(
  label: string,
  adapter: string,
  file: string,
  device: string,
  signatures: InspectDocument["signatures"],
): LoadRequest {
  return { label, adapter, file, device, signatures, batching: { enabled: true, maxBatchSize: MAX_BATCH_SIZE } };
}
