import fs, { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectFile } from "../../src/frameworks/inspect";
import { report } from "./report";
import { type Amount, interleave, type Ratio, type Timing } from "./rounds";
import { startTensorPeer } from "./tensorPeer";
import { LEAVES, type WeightFile, writeFlax, writeSafetensors } from "./weightFiles";

const GIB = 2 ** 30;
/** What one read of a header takes. */
const BLOCK = 4096;

/** The reads that a file needs, with a block for each. */
function neededReads({ path, needed }: WeightFile): void {
  const block = Buffer.allocUnsafe(BLOCK);
  const file = openSync(path, "r");
  statSync(path);
  for (const offset of needed) readSync(file, block, 0, BLOCK, offset);
  closeSync(file);
}

/** Counts the positional reads of `work`, and their bytes. */
function counted(work: () => void): { reads: number; bytes: number } {
  const found = { reads: 0, bytes: 0 };
  const real = fs.readSync;
  // The bundle asks the module for it at every call.
  fs.readSync = ((...args: Parameters<typeof real>) => {
    const got = real(...args);
    found.reads++;
    found.bytes += got;
    return got;
  }) as typeof real;
  try {
    work();
  } finally {
    fs.readSync = real;
  }
  return found;
}

function assertLeaves(path: string): void {
  const { tensors } = inspectFile(path);
  if (tensors.length !== LEAVES) throw new Error(`${path}: ${tensors.length} tensors`);
}

/** The most memory this process ever had, in MiB. */
function peakMiB(): number {
  return process.resourceUsage().maxRSS / 1024;
}

interface Opening {
  readonly rows: readonly (Ratio | Amount)[];
  readonly ours: Timing;
}

/** @param atMost what is promised of the time against a read of a block for each leaf */
async function opening(name: string, file: WeightFile, atMost: number): Promise<Opening> {
  const before = peakMiB();
  const { reads, bytes } = counted(() => assertLeaves(file.path));
  const grown = peakMiB() - before;
  const needed = file.needed.length;
  const leafReads = { ...file, needed: Array.from({ length: LEAVES }, (_, i) => file.needed[i] ?? i * BLOCK) };
  const [ours, perLeaf] = (await interleave(
    [
      { name: "inspectFile", run: () => inspectFile(file.path) },
      { name: `${LEAVES} reads, one a leaf`, run: () => neededReads(leafReads) },
    ],
    { warmUp: 5, rounds: 15, calls: 50 },
  )) as [Timing, Timing];
  const rows = [
    { what: `reads to open ${name}, ${needed} needed`, amount: reads, unit: "reads", atMost: 4 * needed },
    { what: `bytes read to open ${name}`, amount: bytes / 1024, unit: "KiB" },
    { what: `memory grown by opening ${name}`, amount: grown, unit: "MiB", atMost: 16 },
    { what: `open ${name}`, ours, against: perLeaf, atMost },
  ];
  return { rows, ours };
}

/** The real libraries in a process that has them loaded; `ours` are the timings of the same files. */
async function againstPeers(flax: WeightFile, safetensors: WeightFile, ours: readonly Timing[]): Promise<Ratio[]> {
  const peer = startTensorPeer();
  if (!peer) return [];
  try {
    await peer.run("import");
    const cases = [
      { name: "msgpack_restore", run: () => peer.run("msgpack_restore", flax.path) },
      { name: "safe_open", run: () => peer.run("safe_open", safetensors.path) },
    ];
    const [restored, opened] = (await interleave(cases)) as [Timing, Timing];
    const [ourFlax, ourSafetensors] = ours as [Timing, Timing];
    return [
      { what: "open 1 GiB of flax", ours: ourFlax, against: restored, atMost: 0.001 },
      { what: "open 1 GiB of safetensors", ours: ourSafetensors, against: opened },
    ];
  } finally {
    peer.end();
  }
}

void report("inspection", async () => {
  const folder = mkdtempSync(join(tmpdir(), "modelbench-bench-"));
  const flaxFile = (name: string, bytes: number) => writeFlax(join(folder, `${name}.msgpack`), bytes);
  const safetensorsFile = (name: string, bytes: number) => writeSafetensors(join(folder, `${name}.safetensors`), bytes);
  try {
    // What the code itself takes is there before the first opening that is looked at.
    const small = [flaxFile("small", 2 ** 20), safetensorsFile("small", 2 ** 20)];
    for (let i = 0; i < 50; i++) for (const { path } of small) assertLeaves(path);
    const [flax, safetensors] = [flaxFile("1", GIB), safetensorsFile("1", GIB)];
    const one = [await opening("1 GiB of flax", flax, 4), await opening("1 GiB of safetensors", safetensors, 3)];
    const ten = [
      await opening("10 GiB of flax", flaxFile("10", 10 * GIB), 4),
      await opening("10 GiB of safetensors", safetensorsFile("10", 10 * GIB), 3),
    ];
    const times = one.map(({ ours }) => ours);
    return [...[...one, ...ten].flatMap(({ rows }) => rows), ...(await againstPeers(flax, safetensors, times))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
