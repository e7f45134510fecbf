import type { EngineView } from "../../../webview/protocol/views";
import { ModelbenchError } from "../../base/errors";
import type { YamlValue } from "../../formats/pyYaml";
import type { MethodSignature } from "../../formats/tensor";
import { yamlFromJson } from "../../formats/yamlFromJson";
import type { PythonFacts } from "../../frameworks/adapter";
import { MAX_LATENCY_WORD, maxLatencyMs } from "../../frameworks/loadSettings";
import type { TextPair } from "../../frameworks/modelFacts";
import { isDevice, PYTHON_PREFIX } from "../../frameworks/onnx/providers";
import { DEFAULT_SETTINGS, type OnnxSettings, onnxSettings } from "../../frameworks/onnx/sessionOptions";
import { adapterFor } from "../../frameworks/registry";
import { inOwnPython } from "../../runner/ownPython";
import type { LoadRequest, LoadResult } from "../../runner/protocol";
import type { Localize } from "../services";
import { deviceChoices } from "./deviceChoices";
import { onnxFields, type SettingView } from "./onnxFields";

/** How a model is to be loaded. */
export interface EngineChoice {
  /** Empty = the default. */
  readonly device: string;
  /** Load settings by their words; left out or empty = the default. */
  readonly settings: Readonly<Record<string, string>>;
}

/** What of a model decides how it may be loaded. */
export interface ChoosableModel {
  readonly module: string;
  /** Options of model.yaml: texts, and everything else as exact JSON. */
  readonly options: readonly TextPair[];
  readonly signatures: Readonly<Record<string, MethodSignature>>;
}

/** A model that is loaded. */
export interface LoadedEngine {
  readonly result: LoadResult;
  /** What it was loaded with; left out for the bundled runtime. */
  readonly interpreter?: string | undefined;
}

/** The Python that an ONNX model is opened in. */
export interface OwnPython {
  /** Absolute. */
  readonly interpreter: string;
  /** Absolute path of the folder with the worker's `__main__.py`. */
  readonly worker: string;
}

/** What there is to choose of how a model is loaded, what is chosen, and what became of it. */
export function engineView(
  model: ChoosableModel,
  choice: EngineChoice,
  loaded: LoadedEngine | undefined,
  t: Localize,
): EngineView {
  const device = deviceOf(model, choice);
  return {
    device,
    devices: deviceChoices(kindOf(model), device, t),
    settings: settingViews(model, t).map((field) => ({ ...field, value: choice.settings[field.word] ?? "" })),
    fallbacks: [...(loaded?.result.fallbacks ?? [])],
    loaded: loaded === undefined ? [] : loadedRows(loaded, t),
  };
}

/** Whether an ONNX model is to be opened in the user's own Python. */
export function isInOwnPython(model: ChoosableModel, choice: EngineChoice): boolean {
  return isOnnx(model) && deviceOf(model, choice).startsWith(PYTHON_PREFIX);
}

/**
 * A request as the choice would have it.
 * @param own for what `isInOwnPython`
 * @throws ModelbenchError `usage` for a device or setting that there is not, `device.unavailable` where the framework
 * runs on the CPU only, `model.broken` for options of model.yaml that are none
 */
export function withEngine(
  request: LoadRequest,
  model: ChoosableModel,
  choice: EngineChoice,
  own?: OwnPython,
): LoadRequest {
  const given = Object.fromEntries(Object.entries(choice.settings).filter(([, value]) => value !== ""));
  const { [MAX_LATENCY_WORD]: latency, init, ...others } = given;
  const maxMs = maxLatencyMs(latency);
  const batching = { ...request.batching, ...(maxMs === undefined ? {} : { maxLatencyMs: maxMs }) };
  const device = deviceOf(model, choice);
  const asked = { ...request, device, batching };
  if (!isOnnx(model)) return inPython(asked, model, init);
  if (!isDevice(device)) throw noDevice(device);
  const ready = { ...asked, onnx: onnxSettings(others, optionsOf(model)) };
  return own === undefined ? ready : inOwnPython(ready, own.interpreter, own.worker);
}

function inPython(request: LoadRequest, { module }: ChoosableModel, init: string | undefined): LoadRequest {
  const { device, label, python } = request;
  if (!/^[a-z]+(:[0-9]{1,4})?$/.test(device)) throw noDevice(device);
  if (adapterFor(module)?.python?.isCpuOnly && device !== "cpu") {
    const message = `${label}: models of ${module} run on the CPU only, not on ${device}.`;
    throw new ModelbenchError("device.unavailable", message);
  }
  if (init === undefined || python === undefined) return request;
  return { ...request, python: { ...python, init: init === "yes" } };
}

function noDevice(device: string): ModelbenchError {
  return new ModelbenchError("usage", `There is no device ${JSON.stringify(device)}.`);
}

/** The device that is chosen, else what suits the model: one that names providers is to run on the first that works. */
function deviceOf(model: ChoosableModel, { device }: EngineChoice): string {
  if (device !== "") return device;
  return isOnnx(model) && ownSettings(model).providers !== undefined ? "auto" : "cpu";
}

function settingViews(model: ChoosableModel, t: Localize): Omit<SettingView, "value">[] {
  const views: Omit<SettingView, "value">[] = [];
  if (isOnnx(model)) views.push(...onnxFields(ownSettings(model), t));
  if (kindOf(model)?.worker === "flax") {
    const choices = [
      { value: "yes", text: t("Yes") },
      { value: "no", text: t("No, as it was saved") },
    ];
    views.push({ word: "init", text: t("Bind the state to the module"), placeholder: t("yes"), choices });
  }
  if (Object.values(model.signatures).some(({ batchable }) => batchable)) {
    const text = t("Longest wait for a batch, in milliseconds");
    views.push({ word: MAX_LATENCY_WORD, text, placeholder: t("no limit"), choices: null });
  }
  return views;
}

/** What the model itself asks for; of options that are broken the load says what is wrong with them. */
function ownSettings(model: ChoosableModel): OnnxSettings {
  try {
    return onnxSettings({}, optionsOf(model));
  } catch {
    return DEFAULT_SETTINGS;
  }
}

function optionsOf({ options }: ChoosableModel): ReadonlyMap<unknown, YamlValue> {
  return new Map(options.map(([key, text]) => [key, optionOf(text)]));
}

function optionOf(text: string): YamlValue {
  try {
    return yamlFromJson(text);
  } catch {
    return text;
  }
}

function isOnnx({ module }: ChoosableModel): boolean {
  return adapterFor(module)?.engine === "onnx";
}

/** `undefined` for what runs in the bundled runtime. */
function kindOf({ module }: ChoosableModel): PythonFacts | undefined {
  return adapterFor(module)?.python;
}

function loadedRows({ result, interpreter }: LoadedEngine, t: Localize): EngineView["loaded"] {
  const { device, isIsolated, versions } = result;
  const where = interpreter ?? t("ONNX Runtime of the extension");
  const rows = [
    { key: t("Device"), value: device },
    { key: interpreter === undefined ? t("Runs in") : t("Python interpreter"), value: where },
  ];
  if (isIsolated !== undefined) {
    const value = isIsolated ? t("Yes: without network and home folder") : t("No");
    rows.push({ key: t("Kept apart"), value });
  }
  return [...rows, ...Object.entries(versions ?? {}).map(([key, value]) => ({ key, value }))];
}
