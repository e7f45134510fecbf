import assert from "node:assert/strict";
import {
  closeSync,
  cpSync,
  fstatSync,
  futimesSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCheckStore } from "../../../src/store/checkJob";
import { nodeFiles } from "../../../src/store/fileLayer";
import type { Problem } from "../../../src/store/model";
import { ModelStore } from "../../../src/store/modelStore";
import { runVerifyModel } from "../../../src/store/verifyJob";
import { runRandom } from "../../fixtures/random";
import { draftOf, plant, sourcesIn, tempFolder, yamlOf } from "./storeKit";

const TAG = { name: "m", version: "v1" };
const MIB = 1 << 20;
const FILES = { "big.bin": 2.5 * MIB, "deep/small.bin": 100, "exact.bin": MIB };

async function inStore(body: (home: string, store: ModelStore, folder: string) => Promise<void>): Promise<void> {
  const temp = tempFolder();
  try {
    const home = join(temp.path, "home");
    const store = new ModelStore(home);
    const contents = Object.fromEntries(Object.entries(FILES).map(([path, bytes]) => [path, "w".repeat(bytes)]));
    await store.save(draftOf("m", "v1"), sourcesIn(join(temp.path, "sources"), contents));
    await body(home, store, join(home, "models/m/v1"));
  } finally {
    temp.remove();
  }
}

/** Changes one byte of a file as a failing disk would: its times stay. Answers with how to undo that. */
function rot(path: string, offset: number, change: (byte: number) => number): () => void {
  const put = (with_: (byte: number) => number): void => {
    const file = openSync(path, "r+");
    const { atime, mtime } = fstatSync(file);
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, offset);
    writeSync(file, Buffer.of(with_(byte[0] ?? 0)), 0, 1, offset);
    futimesSync(file, atime, mtime);
    closeSync(file);
  };
  const before = readFileSync(path)[offset] ?? 0;
  put(change);
  return () => put(() => before);
}

function rangeOf({ detail }: Problem): [number, number] {
  const [, from, to] = /bytes (\d+) to (\d+) differ/.exec(detail) ?? [];
  return [Number(from), Number(to)];
}

test("a byte that is flipped or zeroed anywhere in a saved file is named by file and range", () =>
  inStore(async (_, store, folder) => {
    const random = runRandom();
    for (let run = 0; run < 60; run++) {
      const [file = "", bytes = 0] = Object.entries(FILES)[Math.floor(random() * 3)] ?? [];
      const offset = Math.floor(random() * bytes);
      const undo = rot(join(folder, file), offset, (byte) => (run % 2 === 0 ? 0 : byte ^ (1 << (run % 8))));
      const [problem, another] = store.check().problems;
      assert.deepEqual([problem?.kind, problem?.path, another], ["file.changed", join(folder, file), undefined]);
      const [from, to] = problem ? rangeOf(problem) : [Number.NaN, Number.NaN];
      assert.ok(from <= offset && offset <= to && to - from < MIB && to < bytes, `${file} ${offset}: ${from} to ${to}`);
      undo();
      assert.deepEqual(store.check().problems, []);
    }
  }));

test("a byte that is flipped anywhere in model.yaml is found, whatever it made of the file", () =>
  inStore(async (_, store, folder) => {
    const path = join(folder, "model.yaml");
    const { length } = readFileSync(path);
    for (let offset = 0; offset < length; offset += 3) {
      const undo = rot(path, offset, (byte) => byte ^ 1);
      const found = store.check().problems.filter((problem) => problem.path.startsWith(folder));
      assert.ok(found.length > 0, `offset ${offset}`);
      undo();
    }
    assert.deepEqual(store.check().problems, []);
  }));

test("ranges side by side are named as one, many as the first of them, a missing end as what is missing", () =>
  inStore(async (_, store, folder) => {
    const path = join(folder, "big.bin");
    rot(path, 0, () => 0);
    rot(path, MIB, () => 0);
    const detail = (): string => store.check().problems[0]?.detail ?? "";
    assert.match(detail(), /: bytes 0 to 2097151 differ\. Import the model again/);
    writeFileSync(path, "w".repeat(MIB));
    assert.match(detail(), /it has 1048576 of 2621440 bytes: bytes 1048576 to 2621439 are missing/);
    writeFileSync(path, "w".repeat(3 * MIB));
    assert.match(detail(), /it has 3145728 bytes, not 2621440/);
  }));

test("a model.yaml that somebody edited is told, and can be taken for what was saved", () =>
  inStore(async (home, store, folder) => {
    const path = join(folder, "model.yaml");
    writeFileSync(path, readFileSync(path, "utf8").replace("labels: {}", "labels:\n  by: hand"));
    const [problem] = store.check().problems;
    assert.deepEqual([problem?.kind, problem?.path], ["file.changed", path]);
    assert.deepEqual(await runVerifyModel({ home, tag: TAG, full: true }, {}), { checked: true, problems: [] });
    assert.deepEqual((await store.repair()).problems[0]?.repaired, true);
    assert.deepEqual(store.check().problems, []);
    assert.match(readFileSync(path, "utf8"), /by: hand/);
  }));

test("before a run only what was touched is read, and what was found good is not read again", () =>
  inStore(async (home, _, folder) => {
    const path = join(folder, "deep/small.bin");
    const verify = async (full: boolean): Promise<string[]> =>
      (await runVerifyModel({ home, tag: TAG, full }, {})).problems.map(({ kind }) => kind);
    const later = new Date(Date.UTC(2030, 0, 1));
    utimesSync(path, later, later);
    let readBytes = 0;
    const onProgress = ({ doneBytes }: { doneBytes: number }): void => {
      readBytes = doneBytes;
    };
    await runVerifyModel({ home, tag: TAG, full: false }, { onProgress });
    assert.equal(readBytes, FILES["deep/small.bin"]);
    readBytes = 0;
    await runVerifyModel({ home, tag: TAG, full: false }, { onProgress });
    assert.equal(readBytes, 0);
    writeFileSync(path, "x".repeat(100));
    assert.deepEqual(await verify(false), ["file.changed"]);
    rmSync(path);
    assert.deepEqual(await verify(false), ["file.missing"]);
    assert.deepEqual(await verify(true), ["file.missing"]);
  }));

test("a store that was copied is as good as the one it was copied from", () =>
  inStore(async (home) => {
    const copy = `${home}-copy`;
    cpSync(home, copy, { recursive: true });
    assert.deepEqual(new ModelStore(copy).check().problems, []);
    assert.deepEqual(await runVerifyModel({ home: copy, tag: TAG, full: false }, {}), { checked: true, problems: [] });
  }));

test("a version that a peer saved is not checked, also where one of ours was before", () =>
  inStore(async (home, store, folder) => {
    const unchecked = { checked: false, problems: [] };
    plant(home, "theirs", "v1");
    assert.deepEqual(await runVerifyModel({ home, tag: { name: "theirs", version: "v1" }, full: true }, {}), unchecked);
    rmSync(folder, { recursive: true });
    plant(home, "m", "v1");
    assert.deepEqual(await runVerifyModel({ home, tag: TAG, full: true }, {}), unchecked);
    assert.deepEqual(store.check().problems, []);
  }));

test("a record of the first version, without ranges and times, still names the file", () =>
  inStore(async (home, store, folder) => {
    const path = join(home, ".modelbench/digests/m/v1.json");
    const record = JSON.parse(readFileSync(path, "utf8")) as { files: Record<string, Record<string, unknown>> };
    for (const file of Object.values(record.files)) {
      delete file["blocks"];
      delete file["stamp"];
    }
    delete record.files["model.yaml"];
    writeFileSync(path, JSON.stringify(record));
    assert.deepEqual(store.check().problems, []);
    rot(join(folder, "exact.bin"), 7, () => 0);
    assert.match(
      store.check().problems[0]?.detail ?? "",
      /exact\.bin is not what was saved: bytes 0 to 1048575 differ/,
    );
    assert.equal((await runVerifyModel({ home, tag: TAG, full: false }, {})).problems.length, 1);
  }));

test("a record that somebody damaged or forged neither stops a check nor leads out of the model", () =>
  inStore(async (home, store) => {
    const path = join(home, ".modelbench/digests/m/v1.json");
    const good = JSON.parse(readFileSync(path, "utf8")) as { creationTime: string };
    const outside = { bytes: 1, sha256: "", blocks: "" };
    const files = { "../v2/x": outside, "/etc/passwd": outside, "": outside, "a/../../b": outside, "big.bin": 7 };
    for (const text of [
      "",
      "[]",
      "{",
      "null",
      JSON.stringify({ ...good, files }),
      JSON.stringify({ ...good, files: 1 }),
    ]) {
      writeFileSync(path, text);
      assert.deepEqual(store.check().problems, [], text);
    }
  }));

test("a check and a comparison can be stopped, and tell how far they are", () =>
  inStore(async (home) => {
    const stop = new AbortController();
    const seen: number[] = [];
    const options = {
      signal: stop.signal,
      onProgress: ({ doneBytes }: { doneBytes: number }) => {
        seen.push(doneBytes);
        stop.abort();
      },
    };
    await assert.rejects(runVerifyModel({ home, tag: TAG, full: true }, options), { code: "cancelled" });
    assert.deepEqual(seen, [MIB]);
    await assert.rejects(runCheckStore({ home }, { signal: AbortSignal.abort() }), { code: "cancelled" });
  }));

test("saving again under a tag that was deleted compares with what is there now", () =>
  inStore(async (home, store, folder) => {
    await store.delete(TAG);
    writeFileSync(join(home, "other.bin"), "other");
    await store.save(draftOf("m", "v1"), [{ from: join(home, "other.bin"), to: "other.bin" }]);
    assert.deepEqual(store.check().problems, []);
    assert.ok(yamlOf("m", "v1") !== readFileSync(join(folder, "model.yaml"), "utf8"));
    writeFileSync(join(folder, "other.bin"), "OTHER");
    assert.equal(store.check().problems.length, 1);
  }));

test("what is written to a file after it was read is not taken for what was read", () =>
  inStore(async (home, _, folder) => {
    const total = Object.values(FILES).reduce(
      (sum, bytes) => sum + bytes,
      readFileSync(join(folder, "model.yaml")).length,
    );
    let reads = 0;
    const onProgress = ({ doneBytes }: { doneBytes: number }): void => {
      reads += 1;
      if (doneBytes === total) writeFileSync(join(folder, "big.bin"), "x".repeat(FILES["big.bin"]));
    };
    assert.deepEqual((await runVerifyModel({ home, tag: TAG, full: true }, { onProgress })).problems, []);
    assert.ok(reads > 0);
    const { problems } = await runVerifyModel({ home, tag: TAG, full: false }, {});
    assert.deepEqual(
      problems.map(({ kind }) => kind),
      ["file.changed"],
    );
  }));

test("a version that comes back because its replacement failed is compared with what was saved of it", () =>
  inStore(async (home, store, folder) => {
    let isIn = false;
    const failing = new ModelStore(home, {
      files: {
        ...nodeFiles,
        async rename(from, to) {
          await nodeFiles.rename(from, to);
          isIn ||= from === staged;
        },
        async sync(path) {
          if (isIn && path === join(home, "models/m")) {
            isIn = false;
            throw Object.assign(new Error("bad disk"), { code: "EIO" });
          }
          await nodeFiles.sync(path);
        },
      },
    });
    const staged = await failing.stagingFolder();
    writeFileSync(join(staged, "model.yaml"), yamlOf("m", "v1"));
    await assert.rejects(failing.adopt(staged, { replace: true }), { code: "store.access" });
    assert.deepEqual(await runVerifyModel({ home, tag: TAG, full: true }, {}), { checked: true, problems: [] });
    rot(join(folder, "exact.bin"), 5, (byte) => byte ^ 1);
    assert.deepEqual(
      store.check().problems.map(({ kind }) => kind),
      ["file.changed"],
    );
  }));
