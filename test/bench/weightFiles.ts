import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";

/** Leaves of every file. */
export const LEAVES = 64;

/** A file whose weights are holes, so that it costs no disk. */
export interface WeightFile {
  readonly path: string;
  /** Offsets where what a reader needs begins: a read at each is the least that shows all leaves. */
  readonly needed: readonly number[];
}

/** Writes pieces at their offsets and gives the file its size. */
function writeSparse(
  path: string,
  size: number,
  pieces: readonly (readonly [offset: number, bytes: Uint8Array])[],
): void {
  const file = openSync(path, "w");
  for (const [offset, bytes] of pieces) writeSync(file, bytes, 0, bytes.length, offset);
  ftruncateSync(file, size);
  closeSync(file);
}

/** `LEAVES` tensors of float32 in one safetensors file of about `bytes`. */
export function writeSafetensors(path: string, bytes: number): WeightFile {
  const each = Math.floor(bytes / LEAVES / 4096) * 4096;
  const entries = Array.from({ length: LEAVES }, (_, i) => {
    const at = { dtype: "F32", shape: [each / 4096, 1024], data_offsets: [i * each, (i + 1) * each] };
    return [`params.layer_${i}.kernel`, at] as const;
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const start = Buffer.concat([length, header]);
  writeSparse(path, start.length + LEAVES * each, [[0, start]]);
  const needed = Array.from({ length: Math.ceil(start.length / 4096) }, (_, i) => i * 4096);
  return { path, needed };
}

/** The same as flax writes it: a map of maps, each leaf an extension with shape, dtype and bytes. */
export function writeFlax(path: string, bytes: number): WeightFile {
  const each = Math.floor(bytes / LEAVES / 4096) * 4096;
  const pieces: [offset: number, bytes: Uint8Array][] = [];
  const before = Buffer.concat([Buffer.of(0x81), text("params"), Buffer.of(0xde, 0, LEAVES)]);
  pieces.push([0, before]);
  let offset = before.length;
  for (let i = 0; i < LEAVES; i++) {
    const inner = Buffer.concat([
      Buffer.of(0x93, 0x92),
      uint32(0xce, each / 4096),
      Buffer.of(0xcd, 4, 0),
      text("float32"),
      uint32(0xc6, each),
    ]);
    const head = Buffer.concat([
      text(`layer_${i}`),
      Buffer.of(0x81),
      text("kernel"),
      uint32(0xc9, inner.length + each),
      Buffer.of(1),
      inner,
    ]);
    pieces.push([offset, head]);
    offset += head.length + each;
  }
  writeSparse(path, offset, pieces);
  return { path, needed: pieces.slice(1).map(([at]) => at) };
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(0xa0 + value.length), Buffer.from(value)]);
}

function uint32(marker: number, value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = marker;
  bytes.writeUInt32BE(value, 1);
  return bytes;
}
