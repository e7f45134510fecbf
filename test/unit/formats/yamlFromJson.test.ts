import assert from "node:assert/strict";
import { test } from "node:test";
import { YamlFloat } from "../../../src/formats/pyYaml";
import { yamlFromJson } from "../../../src/formats/yamlFromJson";

test("integers stay integers of any size, and what has a fraction or an exponent is a float", () => {
  assert.deepEqual(yamlFromJson("[1, -0, 12345678901234567890, 1.0, 1e3, -2.5E-2]"), [
    1,
    -0,
    12345678901234567890n,
    new YamlFloat(1),
    new YamlFloat(1000),
    new YamlFloat(-0.025),
  ]);
});

test("numbers inside strings and keys are left alone", () => {
  const text = '{"1.5": "2.5", "a \\"3.5\\" b": ["\\\\", 4.5]}';
  const wanted = new Map<string, unknown>([
    ["1.5", "2.5"],
    ['a "3.5" b', ["\\", new YamlFloat(4.5)]],
  ]);
  assert.deepEqual(yamlFromJson(text), wanted);
});

test("an object becomes a map, with __proto__ as an ordinary key", () => {
  const value = yamlFromJson('{"b": null, "__proto__": true, "a": {"x": false}}');
  assert.ok(value instanceof Map);
  assert.deepEqual([...value.keys()], ["b", "__proto__", "a"]);
});

test("what is not strict JSON is refused with its place", () => {
  for (const text of ["", "{", "NaN", "[1,]", "01", "'a'", "1.", "{a: 1}"]) {
    assert.throws(() => yamlFromJson(text), { code: "format.corrupt" }, text);
  }
});
