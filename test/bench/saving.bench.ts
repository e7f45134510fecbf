import { execFileSync } from "node:child_process";
import { createHash, randomFillSync } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ModelStore } from "../../src/store/modelStore";
import { draftOf } from "../unit/store/storeKit";
import { report } from "./report";
import { interleave, type Timing } from "./rounds";

const BYTES = 512 * 1024 ** 2;
const work = mkdtempSync(join(tmpdir(), "modelbench-bench-"));

/** What a save is at least: the bytes copied and flushed; with `hash` also read once more and hashed. */
function copy(from: string, to: string, hash: boolean): void {
  execFileSync("cp", [from, to]);
  const file = openSync(to, "r");
  if (hash) {
    const [digest, buffer] = [createHash("sha256"), Buffer.allocUnsafe(1 << 20)];
    for (let got = -1; got !== 0; digest.update(buffer.subarray(0, got))) got = readSync(file, buffer);
  }
  fsyncSync(file);
  closeSync(file);
}

void report("saving", async () => {
  try {
    const from = join(work, "weights.bin");
    writeFileSync(from, randomFillSync(Buffer.allocUnsafe(BYTES)));
    const store = new ModelStore(join(work, "home"));
    const copies = join(work, "copies");
    const empty = (): void => {
      rmSync(copies, { recursive: true, force: true });
      rmSync(store.home, { recursive: true, force: true });
      mkdirSync(copies);
    };
    const timings = await interleave([
      { name: "save", before: empty, run: () => store.save(draftOf("m"), [{ from, to: "weights.bin" }]) },
      { name: "cp, fsync", before: empty, run: () => copy(from, join(copies, "a"), false) },
      { name: "cp, hash, fsync", before: empty, run: () => copy(from, join(copies, "b"), true) },
    ]);
    const [ours, plain, hashed] = timings as [Timing, Timing, Timing];
    return [
      { what: "save 512 MiB", ours, against: hashed, atMost: 1.3 },
      { what: "save 512 MiB", ours, against: plain },
    ];
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});
