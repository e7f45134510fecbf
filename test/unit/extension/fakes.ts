import type { ListedStore, StartWatch } from "../../../src/extension/liveListing";
import type { RunningModel } from "../../../src/extension/runningModel";
import type { Localize, ModelRef } from "../../../src/extension/services";
import { type LoadedNode, loadedRow } from "../../../src/extension/tree/loadedRow";
import type { BrokenItem, ModelSummary } from "../../../src/store/model";

/** Puts the arguments in and translates nothing. */
export const t: Localize = (message, ...args) =>
  message.replace(/\{(\d+)\}/g, (whole, index) => String(args[Number(index)] ?? whole));

/** A version as the listing has it. */
export function summary(tag: string, facts: Partial<ModelSummary> = {}): ModelSummary {
  const [name = "", version = ""] = tag.split(":");
  return {
    tag: { name, version },
    path: `/home/ann/bentoml/models/${name}/${version}`,
    module: "bentoml.onnx",
    creationMs: Date.UTC(2026, 6, 1),
    creationMicros: 0,
    sizeBytes: 5949,
    isLatest: false,
    warnings: [],
    ...facts,
  };
}

/** A model that is loaded and idle. */
export function running(ref: ModelRef, facts: Partial<RunningModel> = {}): RunningModel {
  return {
    ...{ ref, state: "ready", busy: false, pid: 7, device: "cpu", answered: 0, waiting: 0 },
    ...{ unloadsAtMs: undefined, failure: undefined },
    ...facts,
  };
}

/** Its row in the view of loaded models. */
export function loadedNode(model: RunningModel): LoadedNode {
  const context = { t, nowMs: 0, storeLabel: () => undefined };
  return { kind: "loaded", ...model.ref, row: loadedRow({ ...model, bytes: undefined }, context) };
}

/** A folder that cannot be read as a model. */
export function broken(name: string, version: string | undefined, message: string, beingWritten = false): BrokenItem {
  const path = ["/home/ann/bentoml/models", name, ...(version === undefined ? [] : [version])].join("/");
  return { name, version, path, beingWritten, error: { code: "model.broken", message, remedy: "Delete it." } };
}

/** A store whose listing is what the two arrays hold at the time. */
export function listedStore(models: ModelSummary[], items: BrokenItem[] = [], home = "/home/ann/bentoml"): ListedStore {
  return {
    home,
    folderMs: () => 0,
    listingCache: () => undefined,
    *nameSlices() {
      yield;
      return new Map([...models.map(({ tag }) => tag.name), ...items.map(({ name }) => name)].map((name) => [name, 0]));
    },
    *versionSlices(name) {
      yield;
      return {
        models: models.filter(({ tag }) => tag.name === name),
        broken: items.filter((item) => item.name === name),
      };
    },
  };
}

/** A watch that never reports anything. */
export const noWatch: StartWatch = () => ({ watchName() {}, unwatchName() {}, dispose() {} });
