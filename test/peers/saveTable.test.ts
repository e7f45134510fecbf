import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { draftFromFiles, fittingModules } from "../../src/frameworks/saveTable";
import { ModelStore } from "../../src/store/modelStore";
import { formatTag } from "../../src/store/tag";
import { tempFolder } from "../unit/store/storeKit";
import { askPython } from "./python";

const { path: folder, remove } = tempFolder();
const files = join(folder, "files");
const theirs = join(folder, "theirs");
const ours = new ModelStore(join(folder, "ours"));
before(() => askPython("saveTablePeer.py", "write", files, theirs));
after(remove);

async function save(name: string, file: string, module?: string): Promise<string> {
  const { draft, files: sources } = draftFromFiles([join(files, file)], module);
  const saved = await ours.save({ ...draft, name, labels: {}, metadata: new Map() }, sources);
  return formatTag(saved.tag);
}

/** model.yaml without what differs between any two saves. */
function yamlIn(home: string, name: string): string {
  const [version = ""] = readdirSync(join(home, "models", name)).filter((entry) => entry !== "latest");
  const yaml = readFileSync(join(home, "models", name, version, "model.yaml"), "utf8");
  return yaml.replace(/^(version|creation_time| {2}python_version): .*$/gm, "$1:");
}

const filesIn = (home: string, name: string): string[] => {
  const [version = ""] = readdirSync(join(home, "models", name)).filter((entry) => entry !== "latest");
  return readdirSync(join(home, "models", name, version)).sort();
};

test("what the table makes of a file is, line by line, what the framework's own save writes", async () => {
  for (const [name, file] of [
    ["sklearn_model", "iris.joblib"],
    ["pickled", "lookup.pkl"],
    ["flax_model", "flax/net.msgpack"],
    ["onnx_model", "neg.onnx"],
  ] as const) {
    await save(name, file);
    assert.equal(yamlIn(ours.home, name), yamlIn(theirs, name));
    assert.deepEqual(filesIn(ours.home, name), filesIn(theirs, name));
  }
});

test("each save is read by the framework's own get and load_model", async () => {
  const tags = [
    await save("a", "iris.joblib"),
    await save("b", "iris_small.pkl"),
    await save("c", "lookup.pkl"),
    await save("d", "flax/net.msgpack"),
    await save("e", "neg.onnx"),
    await save("f", "alone.msgpack"),
    await save("g", "arrays.joblib"),
    await save("h", "iris.joblib", ""),
  ];
  const read = askPython("saveTablePeer.py", "read", ours.home, ...tags);
  assert.deepEqual(
    read,
    [
      { module: "bentoml.sklearn", loaded: [0, 1, 2] },
      { module: "bentoml.sklearn", loaded: [0, 1, 2] },
      { module: "bentoml.picklable_model", loaded: { a: 1 } },
      { module: "bentoml.flax", loaded: "Net (1, 2)" },
      { module: "bentoml.onnx", loaded: ["x"] },
      { module: "" },
      { module: "bentoml.sklearn", loaded: ["a"] },
      { module: "" },
    ].map((wanted, i) => ({ ...wanted, tag: tags[i] })),
  );
});

test("the form offers what fits, and a module that does not is refused", () => {
  const modules = (file: string) => fittingModules([join(files, file)]);
  assert.deepEqual(modules("iris.joblib"), ["bentoml.sklearn", "bentoml.picklable_model", ""]);
  assert.deepEqual(modules("lookup.pkl"), ["bentoml.picklable_model", ""]);
  assert.deepEqual(modules("flax/net.msgpack"), ["bentoml.flax", ""]);
  assert.deepEqual(modules("alone.msgpack"), [""]);
  assert.throws(() => draftFromFiles([join(files, "neg.onnx")], "bentoml.sklearn"), { code: "format.mismatch" });
  assert.throws(() => draftFromFiles([join(files, "alone.msgpack")], "bentoml.flax"), { code: "usage" });
});
