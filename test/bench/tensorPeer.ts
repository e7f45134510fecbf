import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const PYTHON = resolve(".tools/venv/bin/python");

/** NumPy, flax and safetensors in one warm process. */
export interface TensorPeer {
  /** Answers when the operation is done. */
  run(operation: string, path?: string): Promise<void>;
  end(): void;
}

/** Starts the peers of `tensorPeer.py`; `undefined` where they are not installed. */
export function startTensorPeer(): TensorPeer | undefined {
  if (!existsSync(PYTHON)) return undefined;
  const child = spawn(PYTHON, [resolve("test/bench/tensorPeer.py")], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(operation, path = "") {
      child.stdin.write(`${operation} ${path}\n`);
      const { done } = await answers.next();
      if (done) throw new Error(`${operation} ended Python`);
    },
    end: () => void child.stdin.end(),
  };
}
