import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { customObjectsOf } from "../../src/frameworks/customObjects";
import { runDescribeModel } from "../../src/frameworks/modelFacts";
import { runEditModel } from "../../src/store/editModelJob";
import { ModelStore } from "../../src/store/modelStore";
import { tempFolder } from "../unit/store/storeKit";
import { askPython } from "./python";

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
