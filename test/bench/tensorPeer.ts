import { existsSync } from "node:fs";
import { PYTHON, PythonPeer } from "./pythonPeer";

/** NumPy, flax and safetensors in one warm process. */
export interface TensorPeer {
  /** Answers when the operation is done. */
  run(operation: string, path?: string): Promise<void>;
  end(): void;
}

/** Starts the peers of `tensorPeer.py`; `undefined` where they are not installed. */
export function startTensorPeer(): TensorPeer | undefined {
  if (!existsSync(PYTHON)) return undefined;
  const peer = new PythonPeer("tensorPeer.py");
  return {
    async run(operation, path = "") {
      await peer.ask(`${operation} ${path}`);
    },
    end: () => peer.end(),
  };
}
