import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type CodeDigest, codeDigest } from "../../../src/frameworks/codeDigest";
import { readModelFolder } from "../../../src/store/lookup";
import { ModelStore } from "../../../src/store/modelStore";
import { yamlOf } from "../../fixtures/modelYaml";
import { draftOf, sourcesIn, tempFolder } from "../store/storeKit";

const { path: root, remove } = tempFolder();
after(remove);

let made = 0;

/** A model in a folder of its own, as BentoML would leave it. */
function plantFolder(change: (yaml: string) => string = (yaml) => yaml): string {
  const folder = join(root, `planted-${made++}`);
  mkdirSync(join(folder, "deep"), { recursive: true });
  writeFileSync(
    join(folder, "model.yaml"),
    change(yamlOf("net", "v1").replace("module: ''", "module: bentoml.sklearn")),
  );
  writeFileSync(join(folder, "saved_model.pkl"), "pickle");
  writeFileSync(join(folder, "deep/custom_objects.pkl"), "objects");
  return folder;
}

const digestOf = (folder: string): Promise<CodeDigest> => codeDigest(readModelFolder(folder), undefined);

/** How many bytes were read for a digest. */
async function bytesRead(folder: string, home?: string): Promise<number> {
  let bytes = 0;
  const onProgress = ({ doneBytes }: { doneBytes: number }) => {
    bytes = doneBytes;
  };
  await codeDigest(readModelFolder(folder), home, { onProgress });
  return bytes;
}

test("the digest names every file but model.yaml with its SHA-256, sorted", async () => {
  const { digest, files } = await digestOf(plantFolder());
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.deepEqual(files, [
    { path: "deep/custom_objects.pkl", sha256: "e4cd302972b0cf4e227de8277f328e7631b1cd98655ebf610b401514d47338f7" },
    { path: "saved_model.pkl", sha256: "6d08a4e630e4aa0d5cd873e65aea0a23df42de61073ecb49ef17158fe6a9dcea" },
  ]);
});

test("the place, the tag, labels, metadata and the framework's versions change nothing", async () => {
  const { digest } = await digestOf(plantFolder());
  const edits: ((yaml: string) => string)[] = [
    (yaml) => yaml.replace("name: net", "name: other"),
    (yaml) => yaml.replace("version: v1", "version: v2"),
    (yaml) => yaml.replace("labels: {}", "labels:\n  stage: prod"),
    (yaml) => yaml.replace("metadata: {}", "metadata:\n  accuracy: 0.5"),
    (yaml) => yaml.replace("framework_versions: {}", "framework_versions:\n    scikit-learn: 1.9.1"),
    (yaml) => yaml.replace("2024-01-02", "2025-01-02"),
  ];
  for (const edit of edits) assert.equal((await digestOf(plantFolder(edit))).digest, digest, String(edit));
});

test("the module, an option, a signature and notes of the loader change it, whatever type a value has", async () => {
  const option = (value: string) => (yaml: string) => yaml.replace("options: {}", `options:\n  x: ${value}`);
  const signature = (row: string) => (yaml: string) =>
    yaml.replace("signatures: {}", `signatures:\n  predict:\n    ${row.replaceAll("; ", "\n    ")}`);
  const edits = [
    (yaml: string) => yaml,
    (yaml: string) => yaml.replace("bentoml.sklearn", "bentoml.picklable_model"),
    ...["1", "1.0", "'1'", "true", "null", "[1]", "{1: 2}", "{'1': 2}", "2024-01-02", "!!binary MQ=="].map(option),
    ...["batchable: false", "batchable: true", "batchable: true; batch_dim: [0, 1]"].map(signature),
    (yaml: string) => signature("batchable: false")(yaml).replace("predict", "transform"),
    // BentoML chooses by these how it loads a model of transformers.
    (yaml: string) => yaml.replace("metadata: {}", "metadata:\n  _pretrained_class: AutoModel"),
    (yaml: string) => yaml.replace("api_version: v1", "api_version: v2"),
  ];
  const digests = await Promise.all(edits.map(async (edit) => (await digestOf(plantFolder(edit))).digest));
  assert.equal(new Set(digests).size, edits.length);
});

test("the order of options means nothing", async () => {
  const options = (text: string) => (yaml: string) => yaml.replace("options: {}", `options: ${text}`);
  const one = await digestOf(plantFolder(options("{a: 1, b: {c: 2, d: 3}}")));
  const other = await digestOf(plantFolder(options("{b: {d: 3, c: 2}, a: 1}")));
  assert.equal(one.digest, other.digest);
});

test("one changed byte, a new file and another name each make another digest", async () => {
  const folder = plantFolder();
  const seen = [(await digestOf(folder)).digest];
  const note = async (change: () => void) => {
    change();
    seen.push((await digestOf(folder)).digest);
  };
  await note(() => writeFileSync(join(folder, "saved_model.pkl"), "picklf"));
  await note(() => writeFileSync(join(folder, "helper.py"), ""));
  await note(() => writeFileSync(join(folder, "deep/helper.py"), ""));
  await note(() => appendFileSync(join(folder, "deep/custom_objects.pkl"), "\0"));
  assert.equal(new Set(seen).size, seen.length);
});

test("what has not changed is not read again, and a byte changed in place is", async () => {
  const folder = plantFolder();
  assert.equal(await bytesRead(folder), "pickle".length + "objects".length);
  assert.equal(await bytesRead(folder), 0);
  const path = join(folder, "saved_model.pkl");
  writeFileSync(path, "pickly");
  utimesSync(path, 1, 1);
  assert.equal(await bytesRead(folder), "pickly".length);
});

test("files saved here are not read at all until somebody touches them", async () => {
  const store = new ModelStore(join(root, "home"));
  const draft = draftOf("net", "v1", { module: "bentoml.picklable_model" });
  const { path } = await store.save(draft, sourcesIn(join(root, "sources"), { "saved_model.pkl": "saved here" }));
  const apart = plantFolder();
  writeFileSync(join(apart, "saved_model.pkl"), "saved here");
  const wanted = (await digestOf(apart)).files.find((file) => file.path === "saved_model.pkl");
  assert.equal(await bytesRead(path, store.home), 0);
  assert.deepEqual((await codeDigest(readModelFolder(path), store.home)).files, [wanted]);
  writeFileSync(join(path, "saved_model.pkl"), "saved HERE");
  assert.equal(await bytesRead(path, store.home), "saved HERE".length);
});

test("a link counts as what it leads to, whatever the store remembers of the link", async () => {
  const store = new ModelStore(join(root, "linked"));
  const draft = draftOf("net", "v1", { module: "bentoml.picklable_model" });
  const { path } = await store.save(draft, sourcesIn(join(root, "more"), { "saved_model.pkl": "first" }));
  const elsewhere = join(root, "elsewhere.pkl");
  writeFileSync(elsewhere, "other");
  symlinkSync(elsewhere, join(path, "linked.pkl"));
  const before = await codeDigest(readModelFolder(path), store.home);
  writeFileSync(elsewhere, "OTHER");
  const after = await codeDigest(readModelFolder(path), store.home);
  assert.notEqual(after.digest, before.digest);
  assert.equal(readFileSync(join(path, "saved_model.pkl"), "utf8"), "first");
});

test("a long file is read in pieces, and can be given up between them", async () => {
  const folder = plantFolder();
  writeFileSync(join(folder, "weights.bin"), Buffer.alloc(8 * 2 ** 20));
  const stop = new AbortController();
  const onProgress = ({ doneBytes }: { doneBytes: number }) => {
    if (doneBytes >= 2 ** 20) stop.abort();
  };
  const given = codeDigest(readModelFolder(folder), undefined, { signal: stop.signal, onProgress });
  await assert.rejects(given, { code: "cancelled" });
});
