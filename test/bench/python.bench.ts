import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Log, silentLog } from "../../src/base/log";
import type { Tensor } from "../../src/formats/tensor";
import type { LoadRequest } from "../../src/runner/protocol";
import { openPython } from "../../src/runner/pythonHost";
import { openSession } from "../../src/runner/session";
import { PYTHON, PythonPeer, requirePeers } from "./pythonPeer";
import { report } from "./report";
import { type Amount, interleave, ownProcessorMs, type Ratio, type Timing, timingOf } from "./rounds";

const SCRIPT = resolve("test/bench/pythonCalls.py");
/** 4 KB of float32. */
const COLUMNS = 1_024;
const MIB_64 = 1 << 26;
const MAX_ROWS = 100;

interface Sample {
  readonly adapter: "picklable" | "sklearn" | "flax";
  readonly method: string;
}

/** The models of `pythonCalls.py`. */
const SAMPLES = {
  scale: { adapter: "picklable", method: "scale" },
  same: { adapter: "picklable", method: "same" },
  forest: { adapter: "sklearn", method: "predict" },
  mlp: { adapter: "flax", method: "__call__" },
} as const satisfies Record<string, Sample>;

type Name = keyof typeof SAMPLES;

/** Models in Python, through all processes between, against the same calls in a Python that has nothing else to do. */
async function measure(): Promise<(Ratio | Amount)[]> {
  requirePeers();
  const folder = mkdtempSync(join(tmpdir(), "modelbench-bench-"));
  const quiet = ["ignore", "pipe", "ignore"] as const;
  const saved = execFileSync(PYTHON, [SCRIPT, "save", folder], { encoding: "utf8", stdio: [...quiet] });
  const folders: Readonly<Record<Name, string>> = JSON.parse(saved);
  const peer = new PythonPeer("pythonCalls.py", "serve", folder);
  try {
    return [
      await measureFirst("forest", folders),
      await measureFirst("mlp", folders),
      await measureCalls("scale", folders, peer),
      await measureCalls("mlp", folders, peer),
      ...(await measureBulk(folders, peer)),
      await measureCompilations(folders),
    ];
  } finally {
    peer.end();
    rmSync(folder, { recursive: true });
  }
}

/** From nothing to the first answer: what the libraries and the model's own work take is theirs, in a bare process. */
async function measureFirst(name: Name, folders: Readonly<Record<Name, string>>): Promise<Ratio> {
  const { adapter, method } = SAMPLES[name];
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = -1; round < 5; round += 1) {
    const start = performance.now();
    const session = open(name, folders);
    await session.run({ method, inputs: { 0: { kind: "tensor", tensor: rowsOf(1) } }, batch: true });
    const took = performance.now() - start;
    await session.stop();
    const args = [SCRIPT, "first", adapter, folders[name]];
    const bare = Number(execFileSync(PYTHON, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
    if (round < 0) continue;
    ours.push(took);
    theirs.push(bare);
  }
  const against = timingOf("import, load and call", theirs);
  return { what: `first answer, ${adapter}`, ours: timingOf("session", ours), against, atMostMoreMs: 300 };
}

async function measureCalls(name: Name, folders: Readonly<Record<Name, string>>, peer: PythonPeer): Promise<Ratio> {
  const { adapter, method } = SAMPLES[name];
  const calls = 50;
  const inputs = { 0: { kind: "tensor", tensor: rowsOf(1) } } as const;
  const session = open(name, folders);
  try {
    const [ours, theirs]: [number[], number[]] = [[], []];
    // What V8 has not seen a thousand times it has not compiled yet, in neither of two processes.
    for (let round = -20; round < 25; round += 1) {
      const start = performance.now();
      for (let i = 0; i < calls; i += 1) await session.run({ method, inputs, batch: true });
      const took = performance.now() - start;
      const { ms } = await peer.ask(`${name} ${calls}`);
      if (round < 0) continue;
      ours.push(took / calls);
      theirs.push(Number(ms) / calls);
    }
    const against = timingOf("the call inside Python", theirs);
    return { what: `a warm 4 KB call, ${adapter}`, ours: timingOf("session", ours), against, atMostMoreMs: 0.6 };
  } finally {
    await session.stop();
  }
}

/** From the runner to its worker and back, against the copies that nothing can do without. */
async function measureBulk(folders: Readonly<Record<Name, string>>, peer: PythonPeer): Promise<Ratio[]> {
  let isOver = false;
  const model = await openPython(requestOf("same", folders), (error) => {
    if (!isOver) throw error;
  });
  try {
    const tensor: Tensor = { dtype: "uint8", shape: [1, MIB_64], data: new Uint8Array(MIB_64).fill(1) };
    const [there, back] = [new Uint8Array(MIB_64).fill(2), new Uint8Array(MIB_64).fill(3)];
    const copies: number[] = [];
    const [ours, here] = (await interleave(
      [
        { name: "worker", run: () => model.run("same", { 0: tensor }), processorMs: ownProcessorMs },
        {
          name: "copies into memory that is there",
          before: async () => {
            copies.push(Number((await peer.ask("copy 1"))["ms"]));
          },
          run: () => {
            there.set(tensor.data);
            back.set(there);
          },
          processorMs: ownProcessorMs,
        },
      ],
      { warmUp: 2, rounds: 15 },
    )) as [Timing, Timing];
    const what = "64 MiB there and back";
    const inPython = timingOf("the same copies by NumPy", copies.slice(2));
    return [
      { what, ours, against: here, atMost: 15, isPaired: true },
      { what, ours, against: inPython, isPaired: true },
    ];
  } finally {
    isOver = true;
    model.kill?.();
  }
}

/** Every number of rows that a batch can have, once the padded sizes have been seen: the model prints when it is traced. */
async function measureCompilations(folders: Readonly<Record<Name, string>>): Promise<Amount> {
  let traces = 0;
  const count = (line: string) => {
    if (line.includes("traced for")) traces += 1;
  };
  const session = open("mlp", folders, { ...silentLog, info: count });
  const run = (rows: number) => {
    const inputs = { 0: { kind: "tensor", tensor: rowsOf(rows) } } as const;
    return session.run({ method: SAMPLES.mlp.method, inputs, batch: true });
  };
  try {
    for (let rows = 1; rows < 2 * MAX_ROWS; rows *= 2) await run(Math.min(rows, MAX_ROWS));
    // The first batch that is padded is traced, and not compiled, to see whether its results follow its rows.
    await run(3);
    const seen = traces;
    if (seen === 0) throw new Error("The model did not say that it was traced.");
    for (let rows = 1; rows <= MAX_ROWS; rows += 1) await run(rows);
    return { what: `compiled again for 1 to ${MAX_ROWS} rows, flax`, amount: traces - seen, unit: "traces", atMost: 0 };
  } finally {
    await session.stop();
  }
}

function rowsOf(count: number): Tensor {
  const values = Float32Array.from({ length: count * COLUMNS }, (_, i) => (i % 17) / 17);
  return { dtype: "float32", shape: [count, COLUMNS], data: new Uint8Array(values.buffer) };
}

function open(name: Name, folders: Readonly<Record<Name, string>>, log: Log = silentLog) {
  return openSession(requestOf(name, folders), { entry: resolve("dist/runner.cjs"), log });
}

function requestOf(name: Name, folders: Readonly<Record<Name, string>>): LoadRequest {
  const { adapter, method } = SAMPLES[name];
  const folder = folders[name];
  const files = readdirSync(folder)
    .filter((path) => path !== "model.yaml")
    .map((path) => ({
      path,
      sha256: createHash("sha256")
        .update(readFileSync(join(folder, path)))
        .digest("hex"),
    }));
  const batched = { inputs: [], outputs: [], batchable: true, isOpen: true, batchDim: [0, 0] } as const;
  const worker = resolve("dist/python");
  return {
    label: name,
    adapter,
    file: join(folder, files[0]?.path ?? ""),
    device: "cpu",
    signatures: { [method]: { ...batched, source: "model.yaml" } },
    batching: { enabled: true, maxBatchSize: MAX_ROWS },
    python: { interpreter: PYTHON, worker, folder, files, options: "{}", paths: [], preload: [] },
  };
}

void report("python", measure);
