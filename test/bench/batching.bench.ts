import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as ort from "onnxruntime-node";
import { silentLog } from "../../src/base/log";
import type { Tensor } from "../../src/formats/tensor";
import { inspectFile } from "../../src/frameworks/inspect";
import { DEFAULT_SETTINGS } from "../../src/frameworks/onnx/sessionOptions";
import { Batcher } from "../../src/runner/batcher";
import { type OpenModel, openOrtThread } from "../../src/runner/ortHost";
import type { LoadRequest } from "../../src/runner/protocol";
import { openSession } from "../../src/runner/session";
import { COLUMNS, digits, rowsOf } from "./digits";
import { PythonPeer, requirePeers } from "./pythonPeer";
import { report } from "./report";
import { type Case, interleave, ownProcessorMs, partOf, type Ratio, type Timing, timingOf } from "./rounds";

const CLIENTS = 64;
/** Divisible by every batch size that the bare runtime is tried with, so that both sides do the same rows. */
const ROWS_A_WINDOW = 640;
/** BentoML's runner takes milliseconds a row: a window of it has fewer of them. */
const ROWS_OF_RUNNER = 64;
const BATCHES = [32, 64, 128];
const MAX_ROWS = 100;
const LOAD = 0.85;
const ARRIVAL_SECONDS = 2;

const PLAN = { inAxis: 0, outAxis: 0 };

/**
 * Clients inside the runner against the runtime at its best batch and against BentoML's own batching, in windows that
 * take turns. The runtime has one thread on every side, so that it is the batching that is measured and not the
 * machine's scheduler.
 */
async function measure(): Promise<Ratio[]> {
  requirePeers();
  const folder = mkdtempSync(join(tmpdir(), "modelbench-bench-"));
  const file = join(folder, "digits.onnx");
  writeFileSync(file, digits());
  const request: LoadRequest = {
    label: "digits",
    adapter: "onnx",
    file,
    device: "cpu",
    signatures: inspectFile(file).signatures,
    batching: { enabled: true, maxBatchSize: MAX_ROWS },
    onnx: { ...DEFAULT_SETTINGS, intraOpThreads: 1 },
  };
  const model = await openOrtThread(resolve("dist/ortThread.cjs"), request, (error) => {
    throw error;
  });
  const peer = new PythonPeer("batchingPeer.py", file, folder);
  try {
    const bare = await openBare(file);
    const closed = await measureClosedLoop(model, bare, peer);
    const lone = await measureLone(model, bare, request);
    const open = await measureOpenLoop(model, bare, peer);
    return [...closed, ...lone, ...open];
  } finally {
    peer.end();
    model.kill?.();
    rmSync(folder, { recursive: true });
  }
}

async function measureClosedLoop(model: OpenModel, bare: ort.InferenceSession, peer: PythonPeer): Promise<Ratio[]> {
  const tried = await interleave(
    BATCHES.map((rows) => bareRuntime(bare, rows)),
    { rounds: 3 },
  );
  const best = tried.reduce((a, b) => (b.minMs < a.minMs ? b : a));
  const rows = BATCHES[tried.indexOf(best)] as number;
  // BentoML's dispatcher trains itself in its first requests.
  for (let i = 0; i < 10; i += 1) await peer.ask(`dispatcher ${CLIENTS} ${ROWS_A_WINDOW}`);
  const cases = [
    closedLoop(batcherOf(model)),
    bareRuntime(bare, rows),
    peerLoop(peer, "dispatcher", ROWS_A_WINDOW),
    peerLoop(peer, "runner", ROWS_OF_RUNNER),
  ];
  const timings = await interleave(cases, { warmUp: 3, rounds: 15, calls: 2 });
  const [ours, raw, dispatcher] = timings.map((timing) => partOf(timing, ROWS_A_WINDOW)) as [Timing, Timing, Timing];
  const runner = partOf(timings[3] as Timing, ROWS_OF_RUNNER);
  const what = `${CLIENTS} clients, a row`;
  return [
    { what, ours, against: raw, atMost: 1 / 0.9, isPaired: true },
    { what, ours, against: dispatcher, atMost: 1, isPaired: true },
    { what, ours, against: runner, atMost: 1 / 5, isPaired: true },
  ];
}

/** One request at a time on a model that has nothing else to do, inside the runner and from another process. */
async function measureLone(model: OpenModel, bare: ort.InferenceSession, request: LoadRequest): Promise<Ratio[]> {
  const session = openSession(request, { entry: resolve("dist/runner.cjs"), log: silentLog });
  try {
    await session.load();
    const tensor = oneRow();
    const batcher = batcherOf(model);
    const inputs = { x: { kind: "tensor", tensor } } as const;
    const [against, inside, through] = (await interleave(
      [
        { name: "bare call", run: () => runBare(bare, rowsOf(1), 1) },
        { name: "inside", run: () => batcher.submit({ id: 1, method: "run", inputs: { x: tensor }, plan: PLAN }) },
        { name: "through a session", run: () => session.run({ method: "run", inputs, batch: true }) },
      ],
      { warmUp: 5, rounds: 25, calls: 10 },
    )) as [Timing, Timing, Timing];
    return [
      { what: "a lone row, inside the runner", ours: inside, against, atMostMoreMs: 1 },
      { what: "a lone row, through a session", ours: through, against, atMostMoreMs: 1 },
    ];
  } finally {
    await session.stop();
  }
}

/**
 * Rows that arrive at random, at 85 % of what the runtime was just seen to do at its best: how long the slowest hundredth
 * of them took from the moment it was due.
 */
async function measureOpenLoop(model: OpenModel, bare: ort.InferenceSession, peer: PythonPeer): Promise<Ratio[]> {
  const batcher = batcherOf(model);
  const [full, ours, theirs]: [number[], number[], number[]] = [[], [], []];
  for (let round = -1; round < 7; round += 1) {
    const [timing] = (await interleave([bareRuntime(bare, MAX_ROWS, 10)], { rounds: 7 })) as [Timing];
    const fullMs = timing.medianMs / 10;
    const rate = (LOAD * MAX_ROWS * 1000) / fullMs;
    const waits = await arrivals(batcher, rate);
    const answer = await peer.ask(`arrive ${rate} ${ARRIVAL_SECONDS}`);
    if (round < 0) continue;
    full.push(fullMs);
    ours.push(percentile99(waits));
    theirs.push(percentile99(answer["waits"] as number[]));
  }
  const p99 = timingOf("ours", ours);
  const what = `p99 of a row at ${LOAD * 100} % of the limit`;
  return [
    { what, ours: p99, against: timingOf(`a full batch of ${MAX_ROWS}`, full), atMost: 6, isPaired: true },
    { what, ours: p99, against: timingOf("BentoML's dispatcher, those served", theirs), atMost: 1, isPaired: true },
  ];
}

/** Milliseconds that each row took. @throws what a row was refused with: all have to be served */
async function arrivals(batcher: Batcher, rate: number): Promise<number[]> {
  const inputs = { x: oneRow() };
  const answers: Promise<number>[] = [];
  const one = async (due: number, id: number) => {
    await batcher.submit({ id, method: "run", inputs, plan: PLAN });
    return performance.now() - due;
  };
  const start = performance.now();
  for (let due = start; due < start + ARRIVAL_SECONDS * 1000; ) {
    due -= (Math.log(1 - Math.random()) / rate) * 1000;
    while (due > performance.now()) await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
    answers.push(one(due, answers.length));
  }
  return Promise.all(answers);
}

function percentile99(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
}

/** A row in memory that is not all its own, so that no run takes it over and it can be sent again. */
function oneRow(): Tensor {
  const data = new Uint8Array(rowsOf(2).buffer, 0, 4 * COLUMNS);
  return { dtype: "float32", shape: [1, COLUMNS], data };
}

function batcherOf(model: OpenModel): Batcher {
  const { run } = model;
  return new Batcher({ maxRows: MAX_ROWS, now: () => performance.now(), execute: run });
}

/** Each client sends a row when its last one is answered. */
function closedLoop(batcher: Batcher): Case {
  let id = 0;
  const inputs = { x: oneRow() };
  const send = async () => {
    for (let i = 0; i < ROWS_A_WINDOW / CLIENTS; i += 1) {
      id += 1;
      await batcher.submit({ id, method: "run", inputs, plan: PLAN });
    }
  };
  const run = () => Promise.all(Array.from({ length: CLIENTS }, send));
  return { name: "closed loop", run, processorMs: ownProcessorMs };
}

function peerLoop(peer: PythonPeer, operation: "dispatcher" | "runner", rows: number): Case {
  let spent = 0;
  return {
    name: `BentoML's ${operation}`,
    before: async () => {
      spent = Number((await peer.ask(`${operation} 1 0`))["cpuMs"]);
    },
    run: async () => {
      spent = Number((await peer.ask(`${operation} ${CLIENTS} ${rows}`))["cpuMs"]);
    },
    processorMs: () => spent,
  };
}

function bareRuntime(session: ort.InferenceSession, rows: number, batches = ROWS_A_WINDOW / rows): Case {
  const values = rowsOf(rows);
  return {
    name: `bare runtime, batches of ${rows}`,
    run: async () => {
      for (let i = 0; i < batches; i += 1) await runBare(session, values, rows);
    },
    processorMs: ownProcessorMs,
  };
}

function runBare(session: ort.InferenceSession, values: Float32Array, rows: number): Promise<unknown> {
  return session.run({ x: new ort.Tensor("float32", values, [rows, COLUMNS]) });
}

function openBare(file: string): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(file, {
    intraOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
}

void report("batching", measure);
