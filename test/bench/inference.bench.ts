import { resolve } from "node:path";
import * as ort from "onnxruntime-node";
import { silentLog } from "../../src/base/log";
import type { Tensor } from "../../src/formats/tensor";
import { inspectFile } from "../../src/frameworks/inspect";
import type { RunnerSession } from "../../src/runner/client";
import { openSession } from "../../src/runner/session";
import { report } from "./report";
import { type Case, interleave, type Ratio, type Timing } from "./rounds";

const MODELS = {
  "iris, 1 row": {
    file: "media/sample-store/models/iris_clf/v2/saved_model.onnx",
    input: "input",
    rows: 1,
    columns: 4,
  },
  "digits, 1 row": {
    file: "media/sample-store/models/digits/v1/saved_model.onnx",
    input: "pixels",
    rows: 1,
    columns: 64,
  },
  "digits, 32 rows": {
    file: "media/sample-store/models/digits/v1/saved_model.onnx",
    input: "pixels",
    rows: 32,
    columns: 64,
  },
} as const;

type Sample = (typeof MODELS)[keyof typeof MODELS];

/** A warm inference through a session (host, runner, runtime's thread and back) against the bare runtime call. */
async function measure(): Promise<Ratio[]> {
  const ratios: Ratio[] = [];
  for (const [name, sample] of Object.entries(MODELS)) ratios.push(await measureModel(name, sample));
  return ratios;
}

async function measureModel(name: string, sample: Sample): Promise<Ratio> {
  const file = resolve(sample.file);
  const values = Float32Array.from({ length: sample.rows * sample.columns }, (_, i) => (i % 7) / 2);
  const session = openSession(
    {
      label: name,
      adapter: "onnx",
      file,
      device: "cpu",
      signatures: inspectFile(file).signatures,
      batching: { enabled: true, maxBatchSize: 32 },
    },
    { entry: resolve("dist/runner.cjs"), log: silentLog },
  );
  try {
    await session.load();
    const cases = [throughSession(session, sample, values), await bareRuntime(file, sample, values)];
    const [ours, against] = (await interleave(cases, { warmUp: 5, rounds: 25, calls: 100 })) as [Timing, Timing];
    return { what: `run ${name}`, ours, against, atMostMoreMs: 1 };
  } finally {
    await session.stop();
  }
}

function throughSession(session: RunnerSession, { input, rows, columns }: Sample, values: Float32Array): Case {
  const tensor: Tensor = { dtype: "float32", shape: [rows, columns], data: new Uint8Array(values.buffer) };
  const inputs = { [input]: { kind: "tensor", tensor } } as const;
  return { name: "session", run: () => session.run({ method: "run", inputs, batch: true }) };
}

async function bareRuntime(file: string, { input, rows, columns }: Sample, values: Float32Array): Promise<Case> {
  const runtime = await ort.InferenceSession.create(file);
  return {
    name: "bare runtime call",
    run: () => runtime.run({ [input]: new ort.Tensor("float32", values, [rows, columns]) }),
  };
}

void report("inference", measure);
