import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { copyModel } from "../../../../src/extension/commands/copyModel";
import { editLabels, editMetadata, editSignatures } from "../../../../src/extension/commands/editModel";
import { ModelStore } from "../../../../src/store/modelStore";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  plant(folder.path, "a", "v1", "2024-01-01T00:00:00+00:00");
});
afterEach(() => folder.remove());

const v1 = { store: "own", tag: "a:v1" };

test("a copy is suggested the next version, and is shown", async () => {
  const { services: parts, lines } = services(folder.path, { input: () => [] });
  await copyModel(parts, v1);
  assert.deepEqual(lines, [
    "input: Copy a:v1 to New Version [a:v2]",
    "progress: Copying a:v1",
    "reveal: a:v2",
    "inform: a:v1 copied to a:v2. [Open]",
  ]);
  assert.equal(readFileSync(join(folder.path, "models/a/v2/weights.bin"), "utf8"), "weights of a:v1");
});

test("suggestions are free, keep their zeros, and do not count up what BentoML drew by lot", async () => {
  const suggested = async (version: string): Promise<string | undefined> => {
    plant(folder.path, "a", version);
    const { services: parts, lines } = services(folder.path);
    await copyModel(parts, { store: "own", tag: `a:${version}` });
    return /\[a:(.*)\]/.exec(lines[0] ?? "")?.[1];
  };
  assert.equal(await suggested("v2"), "v3");
  assert.equal(await suggested("2024-09"), "2024-10");
  assert.equal(await suggested("007"), "008");
  assert.equal(await suggested("r6mehnhgmwvaeax4"), "r6mehnhgmwvaeax4-copy");
  plant(folder.path, "a", "v3");
  assert.equal(await suggested("v1"), "v4");
});

test("what is copied is the model that was asked about, also when the store is another one meanwhile", async () => {
  const other = tempFolder();
  plant(other.path, "a", "v1");
  writeFileSync(join(other.path, "models/a/v1/weights.bin"), "of another store");
  const { services: parts } = services(folder.path, { input: () => [] });
  const stores = { ...parts.stores };
  const input: typeof parts.ui.input = (options) => {
    stores.of = () => new ModelStore(other.path);
    return parts.ui.input(options);
  };
  await copyModel({ ...parts, stores, ui: { ...parts.ui, input } }, v1);
  assert.equal(readFileSync(join(folder.path, "models/a/v2/weights.bin"), "utf8"), "weights of a:v1");
  other.remove();
});

test("a tag that is taken or none at all is refused while typing, and a name alone gets a version", async () => {
  const { services: parts, lines } = services(folder.path, { input: () => ["a:v1", "no spaces", "a:latest", "c"] });
  await copyModel(parts, v1);
  assert.equal(lines[1], "finding: a:v1 is in the store already.");
  assert.match(lines[2] ?? "", /^finding: .*not a valid BentoML tag/);
  assert.match(lines[3] ?? "", /^finding: a:latest cannot be saved/);
  assert.match(lines.at(-1) ?? "", /^inform: a:v1 copied to c:\w{16}\. \[Open\]$/);
  assert.ok(existsSync(join(folder.path, "models/c")));
});

test("editing opens the page with that part in the hand", async () => {
  const { services: parts, lines } = services(folder.path);
  await editLabels(parts, v1);
  await editMetadata(parts, v1);
  await editSignatures(parts, v1);
  assert.deepEqual(lines, ["details: a:v1 (labels)", "details: a:v1 (metadata)", "details: a:v1 (signatures)"]);
});
