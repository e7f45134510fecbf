import { ModelbenchError, throwIfAborted } from "../../../src/base/errors";
import { Emitter } from "../../../src/base/events";
import { decodeElements, encodeStrings } from "../../../src/formats/elements";
import type { ModelFacts } from "../../../src/frameworks/modelFacts";
import type { RunnerSession, SessionFacts } from "../../../src/runner/client";
import { inputIssues, resolveInputs } from "../../../src/runner/inputs";
import type {
  LoadedObject,
  LoadRequest,
  RunOutput,
  RunRequest,
  RunResult,
  SessionState,
} from "../../../src/runner/protocol";
import { isTensor } from "../../../src/runner/values";

/** A classifier as the jobs process describes it: the shape of the sample store's `iris_clf`. */
export const irisFacts: ModelFacts = {
  path: "/home/me/bentoml/models/iris_clf/v2",
  module: "bentoml.onnx",
  framework: "onnx",
  createdMs: Date.UTC(2026, 10, 20, 9, 30),
  labels: [
    ["owner", "vision"],
    ["stage", "dev"],
  ],
  metadata: [
    ["accuracy", "0.9737"],
    ["classes", '["setosa","versicolor","virginica"]'],
    ["dataset", "iris, 150 rows, 4 columns"],
  ],
  context: [
    ["framework", "onnx"],
    ["onnxruntime", "1.30.0"],
    ["bentoml", "1.4.39"],
    ["python", "3.11.7"],
  ],
  options: [["providers", '["CPUExecutionProvider"]']],
  files: [
    { path: "model.yaml", bytes: 812 },
    { path: "saved_model.onnx", bytes: 5_137 },
  ],
  signatures: {
    run: {
      inputs: [{ name: "x", type: "tensor", dtype: "float32", shape: ["N", 4] }],
      outputs: [
        { name: "label", type: "tensor", dtype: "int64", shape: ["N"] },
        { name: "probabilities", type: "tensor", dtype: "float32", shape: ["N", 3] },
      ],
      batchable: true,
      batchDim: [0, 0],
      source: "onnx",
    },
  },
  classes: ["setosa", "versicolor", "virginica"],
  examples: { run: { x: "[[5.9, 3.0, 5.1, 1.8]]" } },
  entryFile: "/home/me/bentoml/models/iris_clf/v2/saved_model.onnx",
  onnx: {
    irVersion: 10,
    producer: "skl2onnx 1.19",
    opsets: [
      ["ai.onnx", "21"],
      ["ai.onnx.ml", "1"],
    ],
    ops: [
      { op: "MatMul", count: 2 },
      { op: "Add", count: 2 },
      { op: "ArgMax", count: 1 },
      { op: "Softmax", count: 1 },
    ],
    externalFiles: 0,
  },
  warnings: [],
  stored: {
    pinned: true,
    origin: { kind: "imported", atMs: Date.UTC(2026, 10, 21, 8), from: "/home/me/Downloads/iris_clf-v2.bentomodel" },
    release: "",
    notes: "",
    metadataJson: [
      ["accuracy", "0.9737"],
      ["classes", '["setosa", "versicolor", "virginica"]'],
      ["dataset", '"iris, 150 rows, 4 columns"'],
    ],
    methods: { run: { batchable: true, batchDim: [0, 0] } },
    customObjects: [],
    partialKwargs: null,
  },
  madeWith: [],
};

/** Rows that a scripted session puts into one batch. */
const MAX_ROWS = 32;

/** What a scripted session does with a run; it may wait, and it may throw. */
export type Answering = (request: RunRequest, rows: number, signal: AbortSignal | undefined) => Promise<RunOutput[]>;

/** Three probabilities that grow with the petal's length, and the class they name. */
export const irisAnswer: Answering = async (request, rows) => {
  const [x] = Object.values(resolveInputs(signatureOf(request.method), request.inputs));
  const values = x && isTensor(x) ? decodeElements(x).map(Number) : [];
  const labels = new BigInt64Array(rows);
  const shares = new Float32Array(rows * 3);
  for (let row = 0; row < rows; row++) {
    const petal = values[row * 4 + 2] ?? 0;
    const best = petal < 2.5 ? 0 : petal < 4.9 ? 1 : 2;
    labels[row] = BigInt(best);
    for (let column = 0; column < 3; column++) shares[row * 3 + column] = column === best ? 0.9 : 0.05;
  }
  return [output("label", "int64", [rows], labels), output("probabilities", "float32", [rows, 3], shares)];
};

/** One output from a typed array. */
export function output(
  name: string,
  dtype: RunOutput["dtype"],
  shape: readonly number[],
  data: ArrayBufferView | readonly string[],
): RunOutput {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : encodeStrings(data);
  return { name, dtype, shape, tensor: { dtype, shape, data: bytes } };
}

function signatureOf(method: string): ModelFacts["signatures"][string] {
  const signature = irisFacts.signatures[method];
  if (!signature) throw new ModelbenchError("method.notFound", `No method ${method}.`);
  return signature;
}

/**
 * A session that answers from a script instead of a process. Inputs are checked by the real code. Requests that
 * are there at the same time share one batch.
 */
export class ScriptedSession implements RunnerSession {
  readonly label: string;
  readonly loads: LoadRequest[] = [];
  readonly runs: RunRequest[] = [];
  readonly #request: LoadRequest;
  readonly #answer: Answering;
  readonly #unfetchable: readonly { readonly name: string; readonly reason: string }[];
  readonly #states = new Emitter<SessionState>();
  readonly onDidChangeState = this.#states.event;
  state: SessionState = "starting";
  /** How often it was started ahead. */
  warmed = 0;
  /** What a test sets of the facts. */
  known: Partial<SessionFacts> = {};
  /** What was saved beside the model. */
  objects: readonly LoadedObject[] = [{ name: "classes", type: "list", repr: "['a', 'b']" }];
  #batch = 0;
  #waiting: (() => void)[] = [];

  constructor(
    request: LoadRequest,
    answer: Answering,
    unfetchable: readonly { readonly name: string; readonly reason: string }[],
  ) {
    this.#request = request;
    this.#unfetchable = unfetchable;
    this.#answer = answer;
    this.label = request.label;
  }

  get facts(): SessionFacts {
    const { device } = this.#request;
    const answered = this.runs.length;
    return { pid: undefined, device, answered, waiting: this.#waiting.length, failure: undefined, ...this.known };
  }

  async warm(): Promise<void> {
    this.warmed += 1;
  }

  async load(signal?: AbortSignal): Promise<{ loadMs: number; device: string; unfetchable: Record<string, never[]> }> {
    throwIfAborted(signal);
    if (this.loads.length === 0) this.loads.push(this.#request);
    this.#enter("ready");
    return { loadMs: 12.4, device: "cpu", unfetchable: {} };
  }

  async validate(method: string, inputs: RunRequest["inputs"]): ReturnType<RunnerSession["validate"]> {
    const signature = this.#request.signatures[method];
    return signature ? inputIssues(signature, inputs) : [];
  }

  async run(request: RunRequest, signal?: AbortSignal): Promise<RunResult> {
    this.runs.push(request);
    const together = await this.#gather();
    const { rows } = this.#rows(request);
    const outputs = await Promise.race([this.#answer(request, rows, signal), aborted(signal)]);
    return {
      outputs,
      timing: { loadMs: 0, queueMs: 0.21, batchMs: 0.08, runMs: 2.6 },
      batchSize: Math.min(MAX_ROWS, rows * together),
      batchId: this.#batch,
      batchRequests: together,
      batches: Math.ceil((rows * together) / MAX_ROWS),
      device: "cpu",
      unfetchable: this.#unfetchable,
    };
  }

  async readResult(): Promise<never> {
    throw new ModelbenchError("worker.died", "Nothing is kept.");
  }

  async customObjects(): Promise<readonly LoadedObject[]> {
    return this.objects;
  }

  async ping(): Promise<number> {
    return 0.1;
  }

  async stop(): Promise<void> {
    this.#enter("stopped");
  }

  dispose(): Promise<void> {
    return this.stop();
  }

  #rows({ method, inputs }: RunRequest): { rows: number } {
    const signature = this.#request.signatures[method];
    if (!signature) throw new ModelbenchError("method.notFound", `No method ${method}.`);
    const [first] = Object.values(resolveInputs(signature, inputs));
    return { rows: (first && isTensor(first) ? first.shape[0] : undefined) ?? 1 };
  }

  /** Everybody who asks before the next turn of the loop rides together. */
  async #gather(): Promise<number> {
    const ride = new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#waiting.length === 1) {
      setTimeout(() => {
        this.#batch += 1;
        const riders = this.#waiting;
        this.#waiting = [];
        this.#together = riders.length;
        for (const go of riders) go();
      }, 5);
    }
    await ride;
    return this.#together;
  }

  #together = 0;

  #enter(state: SessionState): void {
    this.state = state;
    this.#states.fire(state);
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new ModelbenchError("cancelled", "Cancelled."));
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
