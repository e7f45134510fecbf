import type { WireError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import type { SessionSettings } from "../frameworks/onnx/run";
import type { LoadResult } from "./protocol";

/** What the runner's main thread asks of one of the runtime's threads. */
export type ToOrt =
  | {
      readonly kind: "load";
      readonly file: string;
      readonly device: string;
      readonly methods: readonly string[];
      readonly settings: SessionSettings;
    }
  | { readonly kind: "run"; readonly inputs: readonly (readonly [string, Tensor])[] };

/** The answers, in the order of the questions. */
export type FromOrt =
  | { readonly kind: "loaded"; readonly result: LoadResult }
  | {
      readonly kind: "ran";
      readonly outputs: readonly (readonly [string, Tensor])[];
      readonly runMs: number;
      /** The memory of the inputs, given back for others. */
      readonly spent: readonly ArrayBuffer[];
    }
  | { readonly kind: "failed"; readonly error: WireError };

/**
 * Named tensors ready to be posted to another thread, with the buffers that move instead of being copied. Bytes
 * that share their buffer with others are copied first: posting a view would copy the whole buffer.
 */
export function movable(tensors: readonly (readonly [string, Tensor])[]): {
  values: (readonly [string, Tensor])[];
  buffers: ArrayBuffer[];
} {
  const buffers: ArrayBuffer[] = [];
  const values = tensors.map(([name, { dtype, shape, data }]) => {
    const own = ownBytes(data);
    buffers.push(own.buffer);
    return [name, { dtype, shape, data: own }] as const;
  });
  return { values, buffers };
}

function ownBytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = data;
  const isWhole = buffer instanceof ArrayBuffer && byteLength === buffer.byteLength;
  return isWhole ? new Uint8Array(buffer, byteOffset, byteLength) : new Uint8Array(data);
}
