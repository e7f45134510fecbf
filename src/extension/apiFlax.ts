import type { FlaxSerialization } from "../../api";
import { ModelbenchError } from "../base/errors";
import { fromBytes, msgpackRestore, msgpackSerialize, toBytes } from "../formats/flaxMsgpack/serialization";
import {
  currentPath,
  fromStateDict,
  NamedTuple,
  registerSerializationState,
  registerStruct,
  toStateDict,
} from "../formats/flaxMsgpack/stateDict";

/**
 * flax's serialization for other extensions. It works in the caller's turn, on what the caller has in memory already;
 * nothing of the store or the workspace is touched.
 */
export const flaxSerialization: FlaxSerialization = Object.freeze({
  msgpackSerialize: (tree, options) => msgpackSerialize(tree as Parameters<typeof msgpackSerialize>[0], options),
  msgpackRestore: (bytes) => msgpackRestore(requireBytes(bytes)),
  toStateDict,
  fromStateDict,
  toBytes,
  fromBytes: (target, bytes) => fromBytes(target, requireBytes(bytes)),
  registerSerializationState,
  registerStruct,
  currentPath,
  NamedTuple,
} satisfies FlaxSerialization);

function requireBytes(value: Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new ModelbenchError("usage", "bytes must be a Uint8Array.");
}
