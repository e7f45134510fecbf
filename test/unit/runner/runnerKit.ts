import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { type Log, silentLog } from "../../../src/base/log";
import type { MethodSignature, Tensor, ValueSpec } from "../../../src/formats/tensor";
import { tensorFromJson } from "../../../src/runner/inputJson";
import type { InputValue, LoadRequest, RunRequest } from "../../../src/runner/protocol";
import { type Graph, onnxModel, type Value } from "./onnxModel";

/** What a test may say about a model beyond its graph. */
export type ModelOptions = Partial<Pick<LoadRequest, "device" | "batching" | "onnx">> &
  Partial<Pick<MethodSignature, "batchable" | "batchDim">>;

/** A folder inside the repository (so that onnxruntime-node is found) with the runner's bundles. */
export interface Kit {
  readonly folder: string;
  readonly entry: string;
  /** Writes a model and answers with what loads it. */
  model(name: string, graph: Graph, options?: ModelOptions): LoadRequest;
  /** Writes a script beside the bundles and answers with its path. */
  script(name: string, source: string): string;
  dispose(): void;
}

/** Bundles the runner as it is now, so that these tests need no build before them. */
export async function openKit(): Promise<Kit> {
  mkdirSync("out", { recursive: true });
  const folder = mkdtempSync(join(process.cwd(), "out", "runner-test-"));
  await build({
    entryPoints: {
      runner: "src/runner/main.ts",
      ortThread: "src/runner/ortThread.ts",
      ortHost: "src/runner/ortHost.ts",
      session: "src/runner/session.ts",
    },
    outdir: folder,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["onnxruntime-node"],
    logLevel: "warning",
  });
  return {
    folder,
    entry: join(folder, "runner.cjs"),
    model: (name, graph, { batchable = true, batchDim = [0, 0] as const, ...request } = {}) => {
      const file = join(folder, `${name}.onnx`);
      writeFileSync(file, onnxModel(graph));
      const signature = {
        inputs: graph.inputs.map(toSpec),
        outputs: graph.outputs.map(toSpec),
        batchable,
        batchDim,
        source: "onnx",
      } as const;
      const batching = { enabled: true, maxBatchSize: 8 };
      return {
        label: name,
        adapter: "onnx",
        file,
        device: "cpu",
        signatures: { run: signature },
        batching,
        ...request,
      };
    },
    script: (name, source) => {
      const path = join(folder, name);
      writeFileSync(path, source);
      return path;
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function toSpec({ name, dtype, shape, isSequence = false }: Value): ValueSpec {
  return isSequence ? { name, type: "sequence", dtype: null, shape: null } : { name, type: "tensor", dtype, shape };
}

/** A call of `run` with JSON values. */
export function call(values: Readonly<Record<string, unknown>>, options: Partial<RunRequest> = {}): RunRequest {
  const inputs = Object.entries(values).map(([name, value]): [string, InputValue] => [name, { kind: "json", value }]);
  return { method: "run", batch: true, inputs: Object.fromEntries(inputs), ...options };
}

/** A float32 tensor of the given values. */
export function floats(value: unknown): Tensor {
  return tensorFromJson({ name: "x", type: "tensor", dtype: "float32", shape: null }, value);
}

/** A log that keeps its lines. */
export function keptLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  return { ...silentLog, info: keep, warn: keep, error: keep, lines };
}

/** Process ids of the runners that `parent` started and that have not ended. */
export function runnersOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => isAlive(pid) && readStatus(pid, "PPid") === String(parent) && commandOf(pid).includes("runner"));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** Whether a process is there and no zombie. */
export function isAlive(pid: number): boolean {
  const state = readStatus(pid, "State");
  return state !== undefined && !state.startsWith("Z");
}

function readStatus(pid: number, field: string): string | undefined {
  try {
    return new RegExp(`^${field}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

/** Waits until `check` holds. @throws Error naming `what` after `timeoutMs` */
export async function until(check: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!check()) {
    if (performance.now() > end) throw new Error(`It did not happen within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** y = x · [[0, 1, 2], [3, 4, 5]]. */
export const linear: Graph = {
  inputs: [{ name: "x", dtype: "float32", shape: ["N", 2] }],
  outputs: [{ name: "y", dtype: "float32", shape: ["N", 3] }],
  nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
  constants: { w: { shape: [2, 3], values: Float32Array.from([0, 1, 2, 3, 4, 5]) } },
};

/** Multiplies two 256 x 256 matrices `n` times; takes about a millisecond each. */
export const slow: Graph = {
  inputs: [{ name: "n", dtype: "int64", shape: [] }],
  outputs: [{ name: "y", dtype: "float32", shape: [256, 256] }],
  nodes: [
    { op: "ConstantOfShape", inputs: ["size"], outputs: ["start"] },
    {
      op: "Loop",
      inputs: ["n", "", "start"],
      outputs: ["y"],
      attributes: {
        body: {
          inputs: [
            { name: "i", dtype: "int64", shape: [] },
            { name: "go", dtype: "bool", shape: [] },
            { name: "m", dtype: "float32", shape: [256, 256] },
          ],
          outputs: [
            { name: "goOn", dtype: "bool", shape: [] },
            { name: "product", dtype: "float32", shape: [256, 256] },
          ],
          nodes: [
            { op: "Identity", inputs: ["go"], outputs: ["goOn"] },
            { op: "MatMul", inputs: ["m", "m"], outputs: ["product"] },
          ],
        },
      },
    },
  ],
  constants: { size: { shape: [2], values: BigInt64Array.from([256n, 256n]) } },
};
