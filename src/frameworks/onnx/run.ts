import { existsSync } from "node:fs";
import { InferenceSession, listSupportedBackends, Tensor as OrtTensor } from "onnxruntime-node";
import { ModelbenchError } from "../../base/errors";
import { decodeStrings, encodeStrings } from "../../formats/elements";
import { refuseUnreachable } from "../../formats/onnx/externalData";
import type { Tensor } from "../../formats/tensor";
import { describeOnnxFile } from "./describe";
import { devicesToTry, type OnnxDevice, unavailable, whyNoDevice } from "./providers";
import { explainLoadFailure, explainRunFailure } from "./runFailures";
import { DEFAULT_SETTINGS, type OnnxSettings } from "./sessionOptions";

// The runtime's library hands float16 to its native half as a Float16Array where JavaScript has one (Node 24), and that
// half takes it for an empty buffer. Without the class it uses Uint16Array, as on Node 20. The check is made when the
// first tensor is, and this thread belongs to the runtime alone.
Reflect.deleteProperty(globalThis, "Float16Array");

/** What one session is opened with. How many runs there are at once is the matter of who opens several. */
export type SessionSettings = Omit<OnnxSettings, "concurrency">;

/** A model open in ONNX Runtime. `create` and `run` block the thread they are called on. */
export interface OnnxSession {
  /** The device in use, for instance `cpu`. */
  readonly device: OnnxDevice;
  /** Devices that were passed over on the way to it, and what else was asked for in vain; one sentence each. */
  readonly fallbacks: readonly string[];
  /** Outputs that the runtime cannot hand over, with the reason and the cure; they are left out of every run. */
  readonly unfetchable: readonly { readonly name: string; readonly reason: string }[];
  /**
   * Outputs by name, in the model's order; `fetches` picks some of them.
   * @throws ModelbenchError `run.failed`, `run.unsupported`, `input.shape`, `input.dtype`, `input.notFound`
   */
  run(inputs: Readonly<Record<string, Tensor>>, fetches?: readonly string[]): Promise<Readonly<Record<string, Tensor>>>;
  /** Frees the weights; the session cannot be used afterwards. */
  release(): Promise<void>;
}

/**
 * Opens a model by path, so that its external data is found beside it. The header is checked first: data outside
 * the model's folder is never opened.
 * @param device a device of the runtime, or `auto` for the first that works
 * @throws ModelbenchError `device.unavailable`, `format.corrupt`, `onnx.external`, `run.unsupported`, `run.failed`
 */
export async function createOnnxSession(
  file: string,
  device: string,
  settings: SessionSettings = DEFAULT_SETTINGS,
): Promise<OnnxSession> {
  refuseUnreachable(describeOnnxFile(file).warnings);
  const opened = await openFirst(file, device, settings);
  const { session } = opened;
  const unfetchable = session.outputMetadata.flatMap((output) => {
    const reason = whyNotFetched(output);
    return reason === undefined ? [] : [{ name: output.name, reason }];
  });
  const fetchable = session.outputNames.filter((name) => !unfetchable.some((output) => output.name === name));
  return {
    device: opened.device,
    fallbacks: [...(settings.remarks ?? []), ...opened.fallbacks],
    unfetchable,
    run: (inputs, fetches = fetchable) => {
      if (fetches.length === 0) return Promise.reject(nothingToFetch(unfetchable[0]?.reason));
      return run(session, fetches, inputs);
    },
    release: () => session.release(),
  };
}

const NOT_A_TENSOR =
  "It is a sequence or a map, and the runtime hands over tensors only. If skl2onnx made the model, " +
  "export it again with options={'zipmap': False}.";

/** Its answer to a 4-bit tensor is the end of the process, so such an output is never asked for. */
function whyNotFetched(output: InferenceSession.ValueMetadata): string | undefined {
  if (!output.isTensor) return NOT_A_TENSOR;
  if (output.type === "string" || isRunnable(output.type)) return undefined;
  return `Its type is ${output.type}, which the runtime does not hand over. Let the model cast it to int8 or uint8.`;
}

function nothingToFetch(remedy: string | undefined): ModelbenchError {
  return new ModelbenchError("run.unsupported", "The model has no output that the runtime hands over.", { remedy });
}

/** What Linux shows of a graphics device, the one of Windows' own Linux included. */
const GRAPHICS = ["/dev/dri/renderD128", "/dev/nvidia0", "/dev/dxg"];

/** The runtime refuses a list of devices when one of them fails, so they are tried one at a time. */
async function openFirst(
  file: string,
  wanted: string,
  settings: SessionSettings,
): Promise<{ session: InferenceSession; device: OnnxDevice; fallbacks: readonly string[] }> {
  const backends = listSupportedBackends();
  const hasGraphics = process.platform !== "linux" || GRAPHICS.some((path) => existsSync(path));
  const plan = devicesToTry(wanted, backends, { hasGraphics, wanted: settings.providers });
  const fallbacks = [...plan.fallbacks];
  for (const device of plan.devices) {
    try {
      return { session: await open(file, device, settings), device, fallbacks };
    } catch (cause) {
      const why = whyNoDevice(device, cause);
      if (device === wanted && why !== undefined) {
        const others = backends.filter(({ name }) => name !== device);
        throw unavailable(`${device} cannot be used: ${why}.`, others, cause);
      }
      if (device === plan.devices.at(-1)) throw explainLoadFailure(file, cause);
      fallbacks.push(`${device} is not used: ${why ?? explainLoadFailure(file, cause).message.replace(/\.$/, "")}.`);
    }
  }
  throw new ModelbenchError("internal", "There was no device to try.");
}

function open(file: string, device: OnnxDevice, settings: SessionSettings): Promise<InferenceSession> {
  const { graphOptimization, executionMode, intraOpThreads, interOpThreads } = settings;
  return InferenceSession.create(file, {
    executionProviders: [device],
    graphOptimizationLevel: graphOptimization,
    executionMode,
    // Only fatal messages: what fails is thrown as well.
    logSeverityLevel: 4,
    ...(intraOpThreads === undefined ? {} : { intraOpNumThreads: intraOpThreads }),
    ...(interOpThreads === undefined ? {} : { interOpNumThreads: interOpThreads }),
    // Threads that spin while they wait would take the editor's cores: measured 20 ms of CPU for a 20 ms pause.
    extra: { session: { intra_op: { allow_spinning: "0" }, inter_op: { allow_spinning: "0" } } },
  });
}

async function run(
  session: InferenceSession,
  fetches: readonly string[],
  inputs: Readonly<Record<string, Tensor>>,
): Promise<Readonly<Record<string, Tensor>>> {
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, toRuntime(name, tensor)]));
  let outputs: InferenceSession.OnnxValueMapType;
  try {
    outputs = await session.run(feeds, fetches);
  } catch (cause) {
    throw explainRunFailure(cause);
  }
  return Object.fromEntries(fetches.map((name) => [name, fromRuntime(name, outputs[name])]));
}

/** Typed arrays as the runtime wants them; float16 travels as its codes. */
const ARRAYS = {
  bool: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

function toRuntime(name: string, { dtype, shape, data }: Tensor): OrtTensor {
  if (dtype === "string") return new OrtTensor("string", textsOf(name, data), shape);
  if (!isRunnable(dtype)) {
    throw new ModelbenchError("run.unsupported", `Input "${name}": the runtime takes no ${dtype}.`, {
      remedy: "Export the model with float32 or float16 inputs.",
    });
  }
  const array = ARRAYS[dtype];
  // A view must start at a multiple of its element's size, and the runtime reads no shared memory.
  const isUsable = data.byteOffset % array.BYTES_PER_ELEMENT === 0 && data.buffer instanceof ArrayBuffer;
  const { buffer, byteOffset, byteLength } = isUsable ? data : new Uint8Array(data);
  const values = new array(buffer as ArrayBuffer, byteOffset, byteLength / array.BYTES_PER_ELEMENT);
  return new OrtTensor(dtype, values, shape);
}

/** The runtime would end a text at its first NUL without a word. */
function textsOf(name: string, data: Uint8Array): string[] {
  const texts = decodeStrings(data);
  const cut = texts.findIndex((text) => text.includes("\0"));
  if (cut < 0) return texts;
  throw new ModelbenchError(
    "run.unsupported",
    `Input "${name}": text ${cut} holds a NUL, where the runtime would end it.`,
  );
}

function isRunnable(type: string): type is keyof typeof ARRAYS {
  return Object.hasOwn(ARRAYS, type);
}

function fromRuntime(name: string, value: InferenceSession.OnnxValueMapType[string] | undefined): Tensor {
  if (value === undefined) throw new ModelbenchError("run.failed", `The runtime answered without output "${name}".`);
  const { type, dims, data } = value;
  if (!ArrayBuffer.isView(data)) return { dtype: "string", shape: dims, data: encodeStrings(data.map(String)) };
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { dtype: type, shape: dims, data: bytes };
}
