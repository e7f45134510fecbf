import { ModelbenchError } from "../../base/errors";
import type { YamlValue } from "../../formats/pyYaml";

/** Devices that ONNX Runtime can run on here, in the order in which `auto` tries them; the last one is always there. */
export const ONNX_DEVICES = ["cuda", "dml", "coreml", "webgpu", "cpu"] as const;

/** One of them; the name is also the runtime's own. */
export type OnnxDevice = (typeof ONNX_DEVICES)[number];

/** What stands before a device when the user's own Python is to open the model there. */
export const PYTHON_PREFIX = "python:";

/** Distributions of which one has to be installed for that, the one to install first; see `PythonFacts.needs`. */
export const PYTHON_NEEDS = [
  ["onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"],
] as const;

/** Whether an ONNX model may be asked for on it: `cpu`, `cuda:1`, `auto`, …, alone or as `python:cuda`. */
export function isDevice(device: string): boolean {
  const name = device.startsWith(PYTHON_PREFIX) ? device.slice(PYTHON_PREFIX.length) : device;
  return name === "auto" || /^cuda:[0-9]{1,4}$/.test(name) || ONNX_DEVICES.some((one) => one === name);
}

/** What the bundled runtime of a platform may have; CUDA needs a library that is not shipped. */
export function bundledDevices(platform: NodeJS.Platform): readonly OnnxDevice[] {
  if (platform === "win32") return ["cpu", "webgpu", "dml", "cuda"];
  return platform === "darwin" ? ["cpu", "webgpu", "coreml"] : ["cpu", "webgpu", "cuda"];
}

/** What one build of the runtime says it has; what is not bundled needs a library that is installed apart. */
export interface Backend {
  readonly name: string;
  readonly bundled: boolean;
}

/** Names in Python's ONNX Runtime, as model.yaml has them. */
const PROVIDERS: Readonly<Record<string, OnnxDevice>> = {
  CUDAExecutionProvider: "cuda",
  DmlExecutionProvider: "dml",
  CoreMLExecutionProvider: "coreml",
  WebGpuExecutionProvider: "webgpu",
  CPUExecutionProvider: "cpu",
};

/**
 * The devices that `providers` of model.yaml asks for, and what it asks for in vain.
 * @throws ModelbenchError `model.broken` when it is no list of providers
 */
export function readProviders(value: YamlValue | undefined): { providers: OnnxDevice[]; remarks: string[] } {
  if (value === undefined || value === null) return { providers: [], remarks: [] };
  if (!Array.isArray(value)) throw noProvider("It is no list.");
  const remarks: string[] = [];
  const providers = value.flatMap((entry) => {
    const [name, options] = Array.isArray(entry) ? entry : [entry];
    if (typeof name !== "string" || !/^\w+ExecutionProvider$/.test(name)) {
      throw noProvider(`${typeof name === "string" ? `"${name}"` : "One of its entries"} is none.`);
    }
    const device = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
    if (device === undefined) remarks.push(`The model asks for ${name}, which this version does not use.`);
    else if (options instanceof Map && options.size > 0) {
      remarks.push(`The model has options for ${name}, which this version does not use.`);
    }
    return device ?? [];
  });
  return { providers: [...new Set(providers)], remarks };
}

function noProvider(what: string): ModelbenchError {
  return new ModelbenchError("model.broken", `\`providers\` of model.yaml is a list of providers. ${what}`, {
    remedy: `Known are ${Object.keys(PROVIDERS).join(", ")}.`,
  });
}

/** What is tried one after the other, with what is passed over at once. */
export interface DevicePlan {
  readonly devices: readonly OnnxDevice[];
  /** One sentence each. */
  readonly fallbacks: readonly string[];
}

/**
 * The devices to try. One that is named is tried alone, and nothing takes its place. `auto` tries what the model asks
 * for, else all of this build, and the CPU in the end. Without a graphics device it leaves WebGPU out: a software
 * renderer would take it, and be slower than the CPU by far.
 * @throws ModelbenchError `device.unavailable` for a name that there is not, or not in this build
 */
export function devicesToTry(
  device: string,
  backends: readonly Backend[],
  { hasGraphics, wanted }: { readonly hasGraphics: boolean; readonly wanted?: readonly OnnxDevice[] | undefined },
): DevicePlan {
  const isBuilt = (name: string) => backends.some((backend) => backend.name === name);
  if (device !== "auto") {
    const known = ONNX_DEVICES.find((one) => one === device);
    if (known === undefined) throw unavailable(`There is no device "${device}" for ONNX models.`, backends);
    if (!isBuilt(known)) throw unavailable(`${known} is not in this build of ONNX Runtime.`, backends);
    return { devices: [known], fallbacks: [] };
  }
  const devices: OnnxDevice[] = [];
  const fallbacks: string[] = [];
  for (const one of wanted ?? ONNX_DEVICES) {
    if (!isBuilt(one)) {
      if (wanted !== undefined) fallbacks.push(`${one} is not used: it is not in this build of ONNX Runtime.`);
    } else if (one === "webgpu" && !hasGraphics && wanted === undefined) {
      fallbacks.push("webgpu is not used: this machine shows no graphics device.");
    } else devices.push(one);
  }
  return { devices: devices.includes("cpu") ? devices : [...devices, "cpu"], fallbacks };
}

/** Why a device cannot be used, one sentence; `undefined` when what failed was not the device. */
export function whyNoDevice(device: OnnxDevice, cause: unknown): string | undefined {
  if (device === "cpu") return undefined;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/Failed to get a WebGPU adapter/.test(text)) return "there is no graphics driver that WebGPU can use";
  if (/ExecutionProvider_\w+: Failed to load shared library/.test(text)) {
    return `the runtime's library for ${device}, or one that it needs, is not installed`;
  }
  if (/ExecutionProvider|WebGPU|WebGpu|CUDA|cuDNN|DirectML|D3D12|CoreML|backend not found/.test(text)) {
    return (text.split("\n")[0] ?? "").replace(/^\/\S+\/onnxruntime\/\S+ (?:.*?was false\. )?/, "").trim();
  }
  return undefined;
}

/** The failure for a device that was asked for by name. */
export function unavailable(message: string, backends: readonly Backend[], cause?: unknown): ModelbenchError {
  const there = [...ONNX_DEVICES].reverse().filter((one) => backends.some((b) => b.name === one && b.bundled));
  return new ModelbenchError("device.unavailable", message, {
    remedy: `Use ${there.join(" or ")}, or auto for the first that works.`,
    ...(cause === undefined ? {} : { cause }),
  });
}
