import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as ort from "onnxruntime-node";
import { DEFAULT_SETTINGS } from "../../src/frameworks/onnx/sessionOptions";
import { Batcher } from "../../src/runner/batcher";
import { openOrtThread } from "../../src/runner/ortHost";
import { onnxModel } from "../unit/runner/onnxModel";
import { report } from "./report";
import { type Case, interleave, type Ratio, type Timing } from "./rounds";

/** A perceptron of about 0.1 ms a row: beside it the batcher's own microseconds are what they are for real models. */
const WIDTHS = [784, 2048, 2048, 10] as const;
const CLIENTS = 64;
/** Divisible by every batch size that the bare runtime is tried with, so that both sides do the same rows. */
const ROWS_A_WINDOW = 640;
const BATCHES = [32, 64, 128];

/**
 * Clients that each send a row when the last is answered, inside the runner, against the runtime at its best batch. The
 * runtime has one thread on both sides, so that it is the batcher that is measured and not the machine's scheduler.
 */
async function measure(): Promise<Ratio[]> {
  const folder = mkdtempSync(join(tmpdir(), "modelbench-bench-"));
  const file = join(folder, "perceptron.onnx");
  writeFileSync(file, perceptron());
  const model = await openOrtThread(
    resolve("dist/ortThread.cjs"),
    {
      label: "perceptron",
      adapter: "onnx",
      file,
      device: "cpu",
      signatures: {},
      batching: { enabled: true, maxBatchSize: 100 },
      onnx: { ...DEFAULT_SETTINGS, intraOpThreads: 1 },
    },
    (error) => {
      throw error;
    },
  );
  try {
    const bare = await ort.InferenceSession.create(file, {
      intraOpNumThreads: 1,
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    });
    const tried = await interleave(
      BATCHES.map((rows) => bareRuntime(bare, rows)),
      { rounds: 3, calls: 2 },
    );
    const best = tried.reduce((a, b) => (b.minMs < a.minMs ? b : a));
    const rows = BATCHES[tried.indexOf(best)] as number;
    const batcher = new Batcher({ maxRows: 100, now: () => performance.now(), execute: model.run });
    const cases = [closedLoop(batcher), bareRuntime(bare, rows)];
    const [ours, against] = (await interleave(cases, { warmUp: 2, rounds: 15, calls: 2 })) as [Timing, Timing];
    return [{ what: `${CLIENTS} clients, ${ROWS_A_WINDOW} rows`, ours, against, atMost: 1 / 0.9 }];
  } finally {
    model.kill?.();
    rmSync(folder, { recursive: true });
  }
}

function closedLoop(batcher: Batcher): Case {
  let id = 0;
  const data = new Uint8Array(row().buffer);
  const send = async () => {
    for (let i = 0; i < ROWS_A_WINDOW / CLIENTS; i += 1) {
      id += 1;
      const inputs = { x: { dtype: "float32", shape: [1, WIDTHS[0]], data } } as const;
      await batcher.submit({ id, method: "run", inputs, plan: { inAxis: 0, outAxis: 0 } });
    }
  };
  return { name: "closed loop", run: () => Promise.all(Array.from({ length: CLIENTS }, send)) };
}

function bareRuntime(session: ort.InferenceSession, rows: number): Case {
  const values = new Float32Array(rows * WIDTHS[0]);
  for (let i = 0; i < rows; i += 1) values.set(row(), i * WIDTHS[0]);
  return {
    name: `bare runtime, batches of ${rows}`,
    run: async () => {
      for (let i = 0; i < ROWS_A_WINDOW / rows; i += 1)
        await session.run({ x: new ort.Tensor("float32", values, [rows, WIDTHS[0]]) });
    },
  };
}

function row(): Float32Array {
  return Float32Array.from({ length: WIDTHS[0] }, (_, i) => (i % 17) / 17);
}

function perceptron(): Buffer {
  const layers = WIDTHS.slice(1).map((width, i) => ({ from: WIDTHS[i] as number, to: width, i }));
  const weights = layers.map(({ from, to, i }) => {
    const values = Float32Array.from({ length: from * to }, (_, at) => ((at * 31) % 101) / 50 / from);
    return [`w${i}`, { shape: [from, to], values }] as const;
  });
  const nodes = layers.flatMap(({ i }) => {
    const isLast = i === layers.length - 1;
    const [input, sum, output] = [i === 0 ? "x" : `h${i}`, isLast ? "y" : `s${i}`, `h${i + 1}`];
    const product = { op: "MatMul", inputs: [input, `w${i}`], outputs: [sum] };
    return isLast ? [product] : [product, { op: "Relu", inputs: [sum], outputs: [output] }];
  });
  return onnxModel({
    inputs: [{ name: "x", dtype: "float32", shape: ["N", WIDTHS[0]] }],
    outputs: [{ name: "y", dtype: "float32", shape: ["N", WIDTHS[3]] }],
    nodes,
    constants: Object.fromEntries(weights),
  });
}

void report("batching", measure);
