import { ModelbenchError } from "../base/errors";

/** Where the libraries of graphics devices are, and which of them may be seen: processes of models on the CPU get none. */
const DEVICE_VARIABLES = ["LD_LIBRARY_PATH", "VK_ICD_FILENAMES", "VK_DRIVER_FILES", "CUDA_VISIBLE_DEVICES"];

/** The variables of `env` that a process for models on this device gets beyond those that every child may see. */
export function deviceEnvironment(device: string, env: NodeJS.ProcessEnv): Record<string, string> {
  if (device === "cpu") return {};
  const passed: Record<string, string> = {};
  for (const name of DEVICE_VARIABLES) {
    const value = env[name];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}

/** `cuda:1` is a kind of device and which of them; some frameworks take the memory of every GPU they see. */
export function gpuOf(device: string): { readonly kind: string; readonly index?: number } {
  const [, kind, index] = /^(cuda|gpu):([0-9]{1,4})$/.exec(device) ?? [];
  return kind === undefined || index === undefined ? { kind: device } : { kind, index: Number(index) };
}

/**
 * What `CUDA_VISIBLE_DEVICES` says to a process for this device: none for the CPU, the one that has the number, by the
 * count of those that `env` shows; `undefined` = whatever there is.
 * @throws ModelbenchError `device.unavailable` for a number that `env` shows no GPU of
 */
export function visibleGpus(device: string, env: NodeJS.ProcessEnv): string | undefined {
  if (device === "cpu") return "-1";
  const { index } = gpuOf(device);
  const shown = env["CUDA_VISIBLE_DEVICES"];
  if (index === undefined || shown === undefined) return index === undefined ? shown : String(index);
  const gpus = shown.split(",").map((gpu) => gpu.trim());
  // To CUDA the list ends at the first entry that is none.
  const end = gpus.findIndex((gpu) => gpu === "" || gpu === "-1");
  const there = end < 0 ? gpus : gpus.slice(0, end);
  const gpu = there[index];
  if (gpu !== undefined) return gpu;
  throw new ModelbenchError(
    "device.unavailable",
    `${device} is not there: CUDA_VISIBLE_DEVICES shows ${there.length === 1 ? "1 GPU" : `${there.length} GPUs`}.`,
    { remedy: "GPUs count from 0." },
  );
}

/** A device in use by the number that it was asked for with: to its process the only GPU it sees is the first one. */
export function numbered(used: string, asked: string): string {
  const { index } = gpuOf(asked);
  return index === undefined || used === "cpu" ? used : `${used}:${index}`;
}
