import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { ModelbenchError } from "../../base/errors";
import { decodeStrings, encodeStrings } from "../../formats/elements";
import type { DType, Tensor } from "../../formats/tensor";

/** A model open in ONNX Runtime. `create` and `run` block the thread they are called on. */
export interface OnnxSession {
  /** The device in use: `cpu`. */
  readonly device: string;
  /** Outputs that the runtime cannot hand over, with the reason and the cure; they are left out of every run. */
  readonly unfetchable: readonly { readonly name: string; readonly reason: string }[];
  /** Outputs by name, in the model's order. @throws ModelbenchError `run.failed`, `run.unsupported` */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
}

/**
 * Opens a model by path, so that its external data is found beside it and never outside its folder.
 * @throws ModelbenchError `device.unavailable`; `run.failed` when the runtime refuses the model
 */
export async function createOnnxSession(file: string, device: string): Promise<OnnxSession> {
  if (device !== "cpu")
    throw new ModelbenchError("device.unavailable", `Device \`${device}\` is not available: use \`cpu\`.`);
  const session = await refusing(file, () =>
    InferenceSession.create(file, {
      executionProviders: ["cpu"],
      logSeverityLevel: 3,
      // Threads that spin while they wait would take a core from the editor.
      extra: { session: { intra_op: { allow_spinning: "0" }, inter_op: { allow_spinning: "0" } } },
    }),
  );
  const fetched = session.outputMetadata.filter(({ isTensor }) => isTensor).map(({ name }) => name);
  const unfetchable = session.outputNames
    .filter((name) => !fetched.includes(name))
    .map((name) => ({ name, reason: noTensor }));
  return { device, unfetchable, run: (inputs) => run(session, fetched, inputs) };
}

const noTensor =
  "It is a sequence or a map, which the runtime does not hand over. Models of skl2onnx: export them with options={'zipmap': False}.";

async function run(
  session: InferenceSession,
  fetched: readonly string[],
  inputs: Readonly<Record<string, Tensor>>,
): Promise<Readonly<Record<string, Tensor>>> {
  if (fetched.length === 0) {
    throw new ModelbenchError("run.unsupported", "The model has no output that is a tensor.", { remedy: noTensor });
  }
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, toOrt(name, tensor)]));
  try {
    const outputs = await session.run(feeds, fetched);
    return Object.fromEntries(fetched.map((name) => [name, fromOrt(outputs[name] as OrtTensor)]));
  } catch (cause) {
    throw new ModelbenchError("run.failed", `ONNX Runtime: ${textOf(cause)}`, { cause });
  }
}

/** Typed arrays as the runtime wants them; float16 travels as its codes. */
const arrays = {
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

function toOrt(name: string, { dtype, shape, data }: Tensor): OrtTensor {
  if (dtype === "string") return new OrtTensor("string", decodeStrings(data), shape);
  if (!isRunnable(dtype))
    throw new ModelbenchError("run.unsupported", `\`${name}\`: ONNX Runtime takes no ${dtype} here.`);
  const array = arrays[dtype];
  // A view must start at a multiple of its element's size.
  const aligned = data.byteOffset % array.BYTES_PER_ELEMENT === 0 ? data : new Uint8Array(data);
  const length = aligned.byteLength / array.BYTES_PER_ELEMENT;
  return new OrtTensor(dtype, new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, length), shape);
}

function isRunnable(dtype: DType): dtype is keyof typeof arrays {
  return Object.hasOwn(arrays, dtype);
}

function fromOrt({ type, dims, data }: OrtTensor): Tensor {
  if (ArrayBuffer.isView(data)) {
    return { dtype: type, shape: dims, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  }
  return { dtype: "string", shape: dims, data: encodeStrings(data as string[]) };
}

async function refusing<T>(file: string, create: () => Promise<T>): Promise<T> {
  try {
    return await create();
  } catch (cause) {
    throw new ModelbenchError("run.failed", `ONNX Runtime refuses ${file}: ${textOf(cause)}`, { path: file, cause });
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
