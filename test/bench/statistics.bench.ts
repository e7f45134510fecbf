import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { itemSize } from "../../src/formats/elements";
import { openFileReader } from "../../src/formats/fileReader";
import type { DType } from "../../src/formats/tensor";
import { memoryData, runData, type TensorData } from "../../src/formats/tensorData";
import { type MeasureOptions, measure } from "../../src/tensors/statistics";
import { report } from "./report";
import { type Amount, type Case, interleave, type Ratio, type Timing } from "./rounds";
import { startTensorPeer, type TensorPeer } from "./tensorPeer";

const BYTES = 256 * 2 ** 20;
/** The window that memory is copied into: as large as a piece that is read at once. */
const WINDOW = 2 ** 20;

/** Numbers as weights are: normal, around zero. */
function writeWeights(path: string): void {
  const values = new Float32Array(BYTES / 4);
  let seed = 1;
  const uniform = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return (seed + 1) / 2 ** 32;
  };
  for (let i = 0; i < values.length; i++) {
    values[i] = 0.05 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  }
  writeFileSync(path, new Uint8Array(values.buffer));
}

function measuring(name: string, data: TensorData, options?: MeasureOptions): Case {
  return {
    name,
    run() {
      const work = measure(data, options);
      while (!work.next().done);
    },
  };
}

function copying(bytes: Uint8Array): Case {
  const window = Buffer.allocUnsafeSlow(WINDOW);
  return {
    name: "memcpy",
    run() {
      for (let at = 0; at < bytes.length; at += WINDOW) window.set(bytes.subarray(at, at + WINDOW));
    },
  };
}

const asking = (peer: TensorPeer, name: string, ...operations: readonly string[]): Case => ({
  name,
  async run() {
    for (const operation of operations) await peer.run(operation);
  },
});

function dataOf(bytes: Uint8Array, dtype: DType): TensorData {
  return memoryData({ dtype, shape: [bytes.length / (itemSize(dtype) ?? 1)], data: bytes });
}

async function againstCopy(path: string, bytes: Uint8Array): Promise<(Ratio | Amount)[]> {
  const reader = openFileReader(path);
  const file = runData(reader, "float32", [BYTES / 4], 0);
  const types: readonly DType[] = ["float64", "int32", "int64", "bfloat16", "float16", "int8", "bool"];
  const timings = await interleave([
    copying(bytes),
    measuring("statistics", file, { histogram: false }),
    measuring("statistics in memory", dataOf(bytes, "float32"), { histogram: false }),
    measuring("with histogram", file),
    ...types.map((dtype) => measuring(dtype, dataOf(bytes, dtype))),
  ]);
  reader.close();
  const [copy, plain, memory, whole, ...others] = timings as [Timing, Timing, Timing, Timing, ...Timing[]];
  return [
    { what: "statistics of 256 MiB float32 in a file", ours: plain, against: copy, atMost: 3 },
    { what: "statistics of 256 MiB float32 in memory", ours: memory, against: copy, atMost: 3 },
    { what: "with the histogram, from a file", ours: whole, against: copy, atMost: 10 },
    { what: "with the histogram, from a file", amount: BYTES / 1e6 / whole.medianMs, unit: "GB/s" },
    ...others.map((ours) => ({ what: `256 MiB ${ours.name} with the histogram`, ours, against: copy, atMost: 10 })),
  ];
}

async function againstNumpy(path: string): Promise<Ratio[]> {
  const peer = startTensorPeer();
  if (!peer) return [];
  const reader = openFileReader(path);
  try {
    await peer.run("load", path);
    const file = runData(reader, "float32", [BYTES / 4], 0);
    const [plain, whole, five, wide, histogram] = (await interleave([
      measuring("statistics", file, { histogram: false }),
      measuring("with histogram", file),
      asking(peer, "numpy, five calls", "float32Statistics"),
      asking(peer, "numpy, float64 sums", "statistics"),
      asking(peer, "numpy and np.histogram", "float32Statistics", "histogram"),
    ])) as [Timing, Timing, Timing, Timing, Timing];
    return [
      { what: "statistics of 256 MiB float32", ours: plain, against: five, atMost: 0.5 },
      { what: "statistics of 256 MiB float32", ours: plain, against: wide, atMost: 0.5 },
      { what: "with the histogram", ours: whole, against: histogram, atMost: 0.67 },
    ];
  } finally {
    reader.close();
    peer.end();
  }
}

void report("statistics", async () => {
  const folder = mkdtempSync(join(tmpdir(), "modelbench-bench-"));
  try {
    const path = join(folder, "weights.bin");
    writeWeights(path);
    return [...(await againstCopy(path, readFileSync(path))), ...(await againstNumpy(path))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
