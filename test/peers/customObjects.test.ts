import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { customObjectsOf } from "../../src/frameworks/customObjects";
import { runDescribeModel } from "../../src/frameworks/modelFacts";
import { runEditModel } from "../../src/store/editModelJob";
import { ModelStore } from "../../src/store/modelStore";
import { openCliKit } from "../fixtures/cliKit";
import { tempFolder } from "../unit/store/storeKit";
import { askPython } from "./python";
import { PYTHON } from "./realStore";

const { path: home, remove } = tempFolder();
let loaded: readonly (readonly [string, string])[];
before(() => {
  loaded = askPython("customObjectsPeer.py", "save", home) as typeof loaded;
});
after(remove);

function folderOf(name: string): string {
  const [version = ""] = readdirSync(join(home, "models", name)).filter((entry) => entry !== "latest");
  return join(home, "models", name, version);
}

test("custom objects are named with the classes that loading them gives, without loading them", () => {
  const told = new Map(customObjectsOf(folderOf("many"))?.map(({ name, type }) => [name, type]));
  assert.deepEqual(
    [...told.keys()],
    loaded.map(([name]) => name),
  );
  const other = new Map([
    // What a pickle says of these is more than their class.
    ["function", "function double"],
    ["class", "class __main__.Tokenizer"],
    ["named", "math.sqrt"],
    // A float without a fraction is held as an integer is.
    ["whole", "int or float"],
    ["count", "int or float"],
    ["scalar", "numpy.generic"],
  ]);
  for (const [name, type] of loaded) assert.equal(told.get(name), other.get(name) ?? type, name);
});

test("a model without custom objects has none, and Flax's own module is one", () => {
  assert.deepEqual(customObjectsOf(folderOf("none")), []);
  assert.deepEqual(customObjectsOf(folderOf("flax")), [{ name: "_module", type: "__main__.Net" }]);
});

test("the command line loads custom objects once that is allowed, and lets them say what they are", async () => {
  const kit = await openCliKit();
  try {
    const call = (...args: string[]) =>
      kit.run(["run", "many", "--custom-objects", "--home", home, "--python", PYTHON, "-o", "json", ...args]);
    const refused = await call();
    assert.equal(JSON.parse(refused.stderr).error.code, "trust.required");
    const { code, stdout, stderr } = await call("--allow-code");
    assert.equal(code, 0, stderr);
    const objects: { name: string; type: string; repr: string }[] = JSON.parse(stdout);
    assert.deepEqual(
      objects.map(({ name, type }) => [name, type.replace("NoneType", "None")]),
      loaded,
    );
    const said = new Map(objects.map(({ name, repr }) => [name, repr]));
    assert.equal(said.get("list"), "[1, 'a']");
    assert.equal(said.get("long"), `'${"w".repeat(1999)}…`);
    assert.equal(said.get("array"), "array([[0., 1., 2.],\n       [3., 4., 5.]])");
  } finally {
    kit.dispose();
  }
});

test("arguments that are edited here are those that BentoML's own runner calls the method with", async () => {
  const store = new ModelStore(home);
  const { tag } = store.get("many");
  const { stored } = await runDescribeModel({ home, tag: "many:latest" });
  assert.deepEqual(stored.partialKwargs, []);
  const set = { __call__: '{"times": 3, "names": ["a", "é"], "rate": 1.0}' };
  await runEditModel({ home, tag, edit: { partialKwargs: { set, remove: [] } } });
  const called = { times: 3, names: ["a", "é"], rate: 1 };
  assert.deepEqual(askPython("customObjectsPeer.py", "call", home), [called, { ...called, times: 5 }]);
  const again = await runDescribeModel({ home, tag: "many:latest" });
  assert.deepEqual(again.stored.partialKwargs, [["__call__", '{"times": 3, "names": ["a", "é"], "rate": 1.0}']]);
});
