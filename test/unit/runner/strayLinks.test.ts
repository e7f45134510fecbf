import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { takeOverFiles } from "../../../src/runner/privateFolder";
import type { PythonLoad } from "../../../src/runner/protocol";
import { tempFolder } from "../store/storeKit";

const { path: root, remove } = tempFolder();
after(remove);

const WORDS = "a private key";
const sha256 = createHash("sha256").update(WORDS).digest("hex");
writeFileSync(join(root, "id_rsa"), WORDS);

function load(name: string, isolate: boolean, files: readonly string[]): [PythonLoad, string] {
  const [folder, target] = [join(root, name), join(root, `${name}-private`)];
  for (const path of [join(folder, "real"), target]) mkdirSync(path, { recursive: true });
  const listed = files.map((path) => ({ path, sha256 }));
  const more = { interpreter: "", worker: "", options: "{}", paths: [], preload: [] };
  return [{ ...more, folder, files: listed, isolate }, target];
}

test("a link that leaves its model shows a model that runs apart nothing", async () => {
  for (const file of ["notes.bin", "weights.safetensors"]) {
    for (const isolate of [true, false]) {
      const [python, target] = load(`${file} ${isolate}`, isolate, [file]);
      symlinkSync(join(root, "id_rsa"), join(python.folder, file));
      const placed = takeOverFiles("m:v1", python, target, new AbortController().signal);
      if (isolate) await assert.rejects(placed, { code: "model.broken", message: /leaves the model/ });
      else await placed;
      assert.equal(existsSync(join(target, file)), !isolate, file);
    }
  }
});

test("a link inside of its model is the file that it leads to", async () => {
  const [python, target] = load("inside", true, ["a.bin", "b.safetensors", "real/c.bin"]);
  writeFileSync(join(python.folder, "real/c.bin"), WORDS);
  for (const link of ["a.bin", "b.safetensors"]) symlinkSync("real/c.bin", join(python.folder, link));
  await takeOverFiles("m:v1", python, target, new AbortController().signal);
  for (const { path } of python.files) assert.equal(readFileSync(join(target, path), "utf8"), WORDS);
});

test("a file that is gone is no link that leaves", async () => {
  const [python, target] = load("gone", true, ["a.bin"]);
  const placed = takeOverFiles("m:v1", python, target, new AbortController().signal);
  await assert.rejects(placed, { code: "model.changed" });
});
