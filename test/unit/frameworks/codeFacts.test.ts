import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { runCodeFacts } from "../../../src/frameworks/codeFactsWork";
import { tempFolder, yamlOf } from "../store/storeKit";

const { path: root, remove } = tempFolder();
after(remove);

/** A pickle that imports these names and calls nothing. */
function pickleOf(...names: readonly string[]): string {
  return `(${names.map((name) => `c${name.replace(".", "\n")}\n`).join("")}t.`;
}

function plantModel(name: string, files: Readonly<Record<string, string>>, more = "options: {}\n"): string {
  const folder = join(root, "models", name, "v1");
  mkdirSync(folder, { recursive: true });
  const yaml = yamlOf(name, "v1").replace(/^module: .*\n/m, "module: bentoml.picklable_model\n");
  writeFileSync(join(folder, "model.yaml"), yaml.replace(/^options: .*\n/m, more));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  return folder;
}

const facts = (name: string) => runCodeFacts({ home: root, tag: `${name}:v1` });

test("what a model's pickles import is told once, the worst first, the first thirty and how many more", async () => {
  const plain = Array.from({ length: 40 }, (_, i) => `shop.Name${i}`);
  plantModel("many", { "saved_model.pkl": pickleOf(...plain, "os.system"), "b.pkl": pickleOf("os.system") });
  const { imports, moreImports, verdict } = await facts("many");
  assert.deepEqual([imports.length, moreImports, imports[0]], [30, 11, "os.system"]);
  assert.equal(new Set(imports).size, 30);
  assert.equal(verdict?.verdict, "dangerous");
});

test("one changed byte changes the digest and is judged anew; an edited label does not", async () => {
  const folder = plantModel("one", { "saved_model.pkl": pickleOf("builtins.list"), "notes.txt": "x" });
  const before = await facts("one");
  assert.deepEqual([before.module, before.path, before.origin.kind], ["bentoml.picklable_model", folder, "unknown"]);
  assert.deepEqual(
    before.files.map(({ path }) => path),
    ["notes.txt", "saved_model.pkl"],
  );
  const yaml = join(folder, "model.yaml");
  writeFileSync(yaml, readFileSync(yaml, "utf8").replace(/^labels: .*\n/m, "labels:\n  stage: prod\n"));
  assert.equal((await facts("one")).digest, before.digest);
  appendFileSync(join(folder, "notes.txt"), "y");
  const edited = await facts("one");
  assert.notEqual(edited.digest, before.digest);
  assert.deepEqual(edited.imports, ["builtins.list"]);
  writeFileSync(join(folder, "saved_model.pkl"), pickleOf("os.system"));
  const worse = await facts("one");
  assert.deepEqual([worse.imports, worse.verdict?.verdict], [["os.system"], "dangerous"]);
});

test("options are exact, and a model without a pickle has no verdict", async () => {
  plantModel("plain", { "model.json": "{}" }, "options:\n  seed: 12345678901234567890\n  rate: 0.5\n");
  const { imports, moreImports, options, verdict } = await facts("plain");
  assert.deepEqual([imports, moreImports, verdict], [[], 0, null]);
  assert.equal(options, '{"seed":12345678901234567890,"rate":0.5}');
});

test("a model that is not there is said so", async () => {
  await assert.rejects(facts("gone"), { code: "model.notFound" });
});
