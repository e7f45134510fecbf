import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { ModelbenchError, type Warning } from "../base/errors";
import { refuseUnreachable } from "../formats/onnx/externalData";
import { claimedFormat } from "../formats/sniff";
import { type ExampleInputs, exampleInputs } from "../frameworks/example";
import { type InspectDocument, inspectFile, inspectModel } from "../frameworks/inspect";
import { adapterFor, whyNotRunnable } from "../frameworks/registry";
import type { LoadRequest } from "../runner/protocol";
import { MODEL_YAML } from "../store/layout";
import { readModelFolder } from "../store/lookup";
import type { StoredModel } from "../store/model";
import { entriesOf } from "../store/modelFiles";
import { ModelStore } from "../store/modelStore";
import { formatTag } from "../store/tag";
import type { Target } from "./target";

/** What a `TAG|FILE` operand opens: a model (stored, or a folder anywhere) or a bare file. */
export type Subject =
  | { readonly kind: "model"; readonly model: StoredModel }
  | { readonly kind: "file"; readonly path: string };

/**
 * A folder is a saved model, or a sharded one: then its index is what is opened.
 * @throws ModelbenchError what the store throws; `model.broken` for a folder that has neither model.yaml nor an index
 */
export function openSubject(home: string, target: Target): Subject {
  if (target.kind === "tag") return { kind: "model", model: new ModelStore(home).get(target.tag) };
  if (!statSync(target.path).isDirectory()) return target;
  const index = shardIndexIn(target.path);
  return index === undefined ? { kind: "model", model: readModelFolder(target.path) } : { kind: "file", path: index };
}

/** What transformers names the list of a model's shards. */
const SHARD_INDEX = "model.safetensors.index.json";

/** The index of a folder without `model.yaml`: the usual one, else the only one. */
function shardIndexIn(folder: string): string | undefined {
  const names = entriesOf(folder);
  if (names.includes(MODEL_YAML)) return undefined;
  const found = names.filter((name) => claimedFormat(name) === "safetensors" && name.endsWith(".json"));
  const name = found.includes(SHARD_INDEX) ? SHARD_INDEX : found[0];
  if (found.length > 1 && name !== SHARD_INDEX) {
    const message = `${folder}: has ${found.length} indexes of shards: ${found.join(", ")}.`;
    throw new ModelbenchError("model.broken", message, { path: folder, remedy: "Name one of these files." });
  }
  return name && join(folder, name);
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
  if (format !== "onnx") throw cannotRun(basename(path), `Of bare files only ONNX runs; this is ${format}.`, path);
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

/** What to load, before anything is said of batching or of Python. */
export function loadRequest(
  label: string,
  adapter: string,
  file: string,
  device: string,
  signatures: InspectDocument["signatures"],
): LoadRequest {
  return { label, adapter, file, device, signatures, batching: { enabled: true, maxBatchSize: MAX_BATCH_SIZE } };
}
