import { closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { inspectFile } from "../../src/frameworks/inspect";
import { node, tensorFields, tensorValue } from "../fixtures/onnxParts";
import { block, int, varint } from "../fixtures/protoWriter";
import { report } from "./report";
import { interleave, type Ratio, type Timing } from "./rounds";

const WEIGHTS = 20;

/**
 * Writes y = x + w0 + … with `megabytes` of float32 weights. The weights are holes in the file, so that it costs no
 * disk. Answers with the offset of each weight's header.
 */
function writeModel(path: string, megabytes: number): readonly number[] {
  const floats = Math.floor((megabytes * 1_000_000) / 4 / WEIGHTS);
  const names = Array.from({ length: WEIGHTS }, (_, i) => `w${i}`);
  const headers = names.map((name) => initializerHeader(name, floats));
  const nodes = names.map((name, i) =>
    node("Add", [i === 0 ? "x" : `t${i}`, name], [i === WEIGHTS - 1 ? "y" : `t${i + 1}`]),
  );
  const before = Buffer.concat(nodes.map((one) => block(1, one)));
  const after = Buffer.concat([block(11, tensorValue("x", 1, [floats])), block(12, tensorValue("y", 1, [floats]))]);
  const graphBytes = before.length + after.length + headers.reduce((sum, one) => sum + one.length + floats * 4, 0);
  const start = Buffer.concat([int(1, 8), block(8, int(2, 17)), varint(7 * 8 + 2), varint(graphBytes), before]);
  const file = openSync(path, "w");
  writeSync(file, start);
  let offset = start.length;
  const offsets: number[] = [];
  for (const header of headers) {
    offsets.push(offset);
    writeSync(file, header, 0, header.length, offset);
    offset += header.length + floats * 4;
  }
  writeSync(file, after, 0, after.length, offset);
  ftruncateSync(file, offset + after.length);
  closeSync(file);
  return offsets;
}

/** Everything of an initializer's field but the weights themselves, which are its last bytes. */
function initializerHeader(name: string, floats: number): Buffer {
  const fields = Buffer.concat([
    tensorFields({ name, type: 1, dims: [floats] }),
    varint(9 * 8 + 2),
    varint(floats * 4),
  ]);
  return Buffer.concat([varint(5 * 8 + 2), varint(fields.length + floats * 4), fields]);
}

/** The reads that a header needs: one block at the start, one at each weight's header, one at the end. */
function neededReads(path: string, offsets: readonly number[]): void {
  const block = Buffer.allocUnsafe(4096);
  const file = openSync(path, "r");
  const { size } = fstatSync(file);
  for (const offset of [0, ...offsets, size - 4096]) readSync(file, block, 0, block.length, offset);
  closeSync(file);
}

async function measure(): Promise<Ratio[]> {
  const folder = mkdtempSync(join(tmpdir(), "modelbench-bench-"));
  try {
    const ratios: Ratio[] = [];
    for (const megabytes of [20, 100, 500]) {
      const path = join(folder, `${megabytes}.onnx`);
      const offsets = writeModel(path, megabytes);
      const [ours, limit] = (await interleave(
        [
          { name: "inspectFile", run: () => inspectFile(path) },
          { name: "the reads it needs", run: () => neededReads(path, offsets) },
        ],
        { warmUp: 10, rounds: 15, calls: 200 },
      )) as [Timing, Timing];
      const [session] = (await interleave([{ name: "session create", run: () => createSession(path) }], {
        warmUp: 0,
        rounds: 1,
      })) as [Timing];
      const what = `open a ${megabytes} MB ONNX file`;
      ratios.push({ what, ours, against: limit, atMost: 4 }, { what, ours, against: session });
    }
    return ratios;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function createSession(path: string): Promise<void> {
  await (await ort.InferenceSession.create(path)).release();
}

void report("onnxHeader", measure);
