import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { FolderWatch } from "../../../../src/extension/page/folderWatch";
import { tempFolder } from "../../store/storeKit";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

/** Waits until a count is reached, two seconds at most. */
async function reached(count: () => number, wanted: number): Promise<void> {
  for (let tries = 0; tries < 80 && count() < wanted; tries++) await new Promise((done) => setTimeout(done, 25));
  assert.ok(count() >= wanted, `${count()} of ${wanted}`);
}

test("a file that is written in place is noticed, once for several writes, also in a folder that came back", async () => {
  const path = join(folder.path, "v1");
  mkdirSync(path);
  let changes = 0;
  const watch = new FolderWatch(
    () => path,
    () => {
      changes += 1;
    },
  );
  writeFileSync(join(path, "model.yaml"), "a");
  writeFileSync(join(path, "model.yaml"), "b");
  await reached(() => changes, 1);
  assert.equal(changes, 1);
  rmSync(path, { recursive: true });
  await reached(() => changes, 2);
  watch.renew();
  mkdirSync(path);
  watch.renew();
  const before = changes;
  writeFileSync(join(path, "model.yaml"), "c");
  await reached(() => changes, before + 1);
  watch.dispose();
});

test("a folder that went is waited for, and another one that took its path at once is followed", async () => {
  const path = join(folder.path, "run");
  let changes = 0;
  const count = (): void => {
    changes += 1;
  };
  const watch = new FolderWatch(() => path, count, true);
  mkdirSync(path);
  await reached(() => changes, 1);
  renameSync(path, `${path}.old`);
  await reached(() => changes, 2);
  mkdirSync(path);
  await reached(() => changes, 3);
  writeFileSync(join(path, "model.onnx"), "a");
  await reached(() => changes, 4);
  renameSync(path, `${path}.older`);
  mkdirSync(path);
  await reached(() => changes, 5);
  writeFileSync(join(path, "model.onnx"), "b");
  await reached(() => changes, 6);
  watch.dispose();
});

test("a folder that is somewhere else now is followed there, and nowhere while nobody knows where it is", async () => {
  const [first, second] = [join(folder.path, "first"), join(folder.path, "second")];
  mkdirSync(first);
  mkdirSync(second);
  let path: string | undefined;
  let changes = 0;
  const watch = new FolderWatch(
    () => path,
    () => {
      changes += 1;
    },
  );
  for (path of [first, second]) {
    watch.renew();
    const before = changes;
    writeFileSync(join(path, "model.yaml"), path);
    await reached(() => changes, before + 1);
  }
  const before = changes;
  writeFileSync(join(first, "model.yaml"), "c");
  await new Promise((done) => setTimeout(done, 300));
  assert.equal(changes, before);
  watch.dispose();
});

test("a folder that is not there is no failure", () => {
  new FolderWatch(
    () => join(folder.path, "nothing"),
    () => undefined,
  ).dispose();
});
