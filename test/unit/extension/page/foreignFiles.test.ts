import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { after, test } from "node:test";
import { FOREIGN_BYTES, type ForeignFile, ForeignFiles } from "../../../../src/extension/page/foreignFiles";
import { tempFolder } from "../../store/storeKit";
import { t } from "../fakes";

const { path: folder, remove } = tempFolder();
after(remove);
const home = join(folder, "foreign");
const files = new ForeignFiles(home, t);

function foreign(name: string, bytes: Uint8Array, size = bytes.length): ForeignFile & { readonly reads: () => number } {
  let reads = 0;
  const read = async (): Promise<Uint8Array> => {
    reads += 1;
    return bytes;
  };
  return { name, label: `git:/${name}`, size: async () => size, read, reads: () => reads };
}

test("a copy has the name and the bytes, is for nobody else, and goes with its owner", async () => {
  const copy = await files.copy(foreign("a b.onnx", Buffer.from("bytes")));
  assert.equal(basename(copy.path), "a b.onnx");
  assert.equal(readFileSync(copy.path, "utf8"), "bytes");
  assert.equal(statSync(copy.path).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(copy.path)).mode & 0o777, 0o700);
  assert.equal(statSync(home).mode & 0o777, 0o700);
  await copy.dispose();
  assert.deepEqual(readdirSync(home), []);
});

test("a name from elsewhere stays inside the folder", async () => {
  for (const name of ["..", "", "../../x", "x".repeat(5000), "a\0b"]) {
    const copy = await files.copy(foreign(name, Buffer.from("x")));
    assert.equal(dirname(dirname(copy.path)), home);
    assert.ok(existsSync(copy.path));
    await copy.dispose();
  }
});

test("what is larger than 64 MiB is refused by name, before it is read where its size is known", async () => {
  const large = foreign("large.safetensors", Buffer.alloc(0), FOREIGN_BYTES + 1);
  const refused = { code: "budget.exceeded", message: /^git:\/large\.safetensors has 64\.00 MiB\..* up to 64\.00 MiB/ };
  await assert.rejects(files.copy(large), refused);
  assert.equal(large.reads(), 0);
  await assert.rejects(files.copy(foreign("liar.npy", Buffer.alloc(FOREIGN_BYTES + 1), 10)), {
    code: "budget.exceeded",
  });
  const broken = { ...foreign("gone.npy", Buffer.alloc(0)), size: () => Promise.reject(new Error("no such commit")) };
  await assert.rejects(files.copy(broken), { code: "file.access", message: /gone\.npy.*no such commit/ });
  assert.deepEqual(readdirSync(home), []);
});

test("a copy that cannot be written is refused in words and leaves nothing", async () => {
  const taken = join(folder, "taken");
  writeFileSync(taken, "");
  const refused = { code: "file.access", message: /^git:\/a\.npy: cannot be copied to .*taken: /, remedy: /Make room/ };
  await assert.rejects(new ForeignFiles(taken, t).copy(foreign("a.npy", Buffer.from("x"))), refused);
  // As where the disk becomes full between the folder and the file.
  const half = { ...foreign("b.npy", Buffer.alloc(0)), read: async () => ({ length: 1 }) as Uint8Array };
  await assert.rejects(files.copy(half), { code: "file.access", message: /b\.npy: cannot be copied/ });
  assert.deepEqual(readdirSync(home), []);
});

test("what a window left that has ended is removed, and what another one uses is not", async () => {
  const ended = spawnSync("true").pid;
  for (const name of [`${ended}-aa`, "stray"]) mkdirSync(join(home, name));
  const copy = await files.copy(foreign("mine.npy", Buffer.from("x")));
  await files.sweep();
  assert.deepEqual(readdirSync(home), [basename(dirname(copy.path))]);
  await copy.dispose();
});
