import type { EngineView } from "../../../webview/protocol/views";
import type { PythonFacts } from "../../frameworks/adapter";
import { bundledDevices, PYTHON_PREFIX } from "../../frameworks/onnx/providers";
import { thisMachine } from "../../runner/thisMachine";
import type { Localize } from "../services";

/** Where a model may be loaded on this machine. */
interface Places {
  readonly platform: NodeJS.Platform;
  /** Graphics processors of NVIDIA that show, 0 where nobody can tell. */
  readonly gpus: number;
}

/**
 * The devices that can be asked for; whether one can be used shows when the model is loaded there.
 * @param python what runs it; `undefined` = ONNX Runtime, bundled or the user's own
 * @param chosen is among them whatever it is
 */
export function deviceChoices(
  python: PythonFacts | undefined,
  chosen: string,
  t: Localize,
  { platform, gpus }: Places = { platform: process.platform, gpus: thisMachine.gpus() },
): EngineView["devices"] {
  const others = Array.from({ length: Math.max(0, gpus - 1) }, (_, i) => `cuda:${i + 1}`);
  const devices = python ? pythonDevices(python, gpus) : onnxDevices(platform, others);
  const all = devices.includes(chosen) ? devices : [...devices, chosen];
  return all.map((value) => ({ value, text: deviceText(value, t) }));
}

function onnxDevices(platform: NodeJS.Platform, others: readonly string[]): string[] {
  const own = ["cpu", "cuda", ...others].map((device) => `${PYTHON_PREFIX}${device}`);
  return ["auto", ...bundledDevices(platform), ...own];
}

/** As jax and torch call them; `gpu` is the first of one kind or the other. */
function pythonDevices({ isCpuOnly }: PythonFacts, gpus: number): string[] {
  if (isCpuOnly) return ["cpu"];
  const numbered = gpus > 1 ? Array.from({ length: gpus }, (_, i) => `cuda:${i}`) : [];
  return ["cpu", "gpu", ...numbered];
}

/** What a device is called to the user. */
function deviceText(device: string, t: Localize): string {
  if (device.startsWith(PYTHON_PREFIX)) {
    return t("{0}, your own onnxruntime", deviceText(device.slice(PYTHON_PREFIX.length), t));
  }
  const [, number] = /^cuda:([0-9]+)$/.exec(device) ?? [];
  if (number !== undefined) return t("CUDA, GPU {0}", number);
  const names: Record<string, string> = {
    auto: t("Automatic"),
    cpu: t("CPU"),
    gpu: t("GPU"),
    cuda: "CUDA",
    dml: "DirectML",
    coreml: "Core ML",
    webgpu: "WebGPU",
  };
  return names[device] ?? device;
}
