import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  dumpPyYaml,
  parsePyYaml,
  pythonFloatRepr,
  pythonRepr,
  YamlDate,
  YamlFloat,
  YamlTimestamp,
  type YamlValue,
} from "../../../src/formats/pyYaml";

const map = (...pairs: [YamlValue & string, YamlValue][]): YamlValue => new Map(pairs);

describe("writing YAML", () => {
  test("strings are quoted only when YAML 1.1 would take them for something else", () => {
    const plain = ["1e3", "089", "y", "0o17", "a b", "bentoml.onnx", "-x", "a:b", "it's"];
    const quoted = [
      "1.0",
      "123",
      "true",
      "2024-01-01",
      "1_000",
      "0x1f",
      "on",
      "~",
      "",
      "=",
      "<<",
      "- a",
      "a: b",
      "#a",
      "a #b",
    ];
    for (const text of plain) assert.equal(dumpPyYaml([text]), `- ${text}\n`);
    for (const text of quoted) assert.equal(dumpPyYaml([text]), `- '${text}'\n`);
  });

  test("letters beyond ASCII and controls are escaped in double quotes", () => {
    assert.equal(
      dumpPyYaml(["é", "☃", "😀", "a\tb", "\x85"]),
      '- "\\xE9"\n- "\\u2603"\n- "\\U0001F600"\n- "a\\tb"\n- "\\N"\n',
    );
  });

  test("long and multi-line strings fold at column 80", () => {
    const words = "word ".repeat(20).trim();
    assert.equal(dumpPyYaml(map(["k", words])), `k: ${"word ".repeat(16).trim()}\n  ${"word ".repeat(4).trim()}\n`);
    assert.equal(dumpPyYaml(map(["k", "a\nb"])), "k: 'a\n\n  b'\n");
  });

  test("lists stand in the column of their key and empty collections in flow style", () => {
    const value = map(["a", [1, [2, map(["b", []])], new Map()]], ["c", null]);
    assert.equal(dumpPyYaml(value), "a:\n- 1\n- - 2\n  - b: []\n- {}\nc: null\n");
  });

  test("numbers, dates and bytes read back as they were", () => {
    const value: YamlValue = [
      new YamlFloat(1e-7),
      new YamlFloat(1e22),
      new YamlFloat(-0),
      new YamlFloat(Number.POSITIVE_INFINITY),
      new YamlFloat(Number.NaN),
      2n ** 70n,
      new YamlDate(1, 2, 3),
      new YamlTimestamp({
        year: 2024,
        month: 5,
        day: 6,
        hour: 7,
        minute: 8,
        second: 9,
        micros: 10,
        offsetMinutes: -90,
      }),
      Uint8Array.from({ length: 60 }, (_, i) => i),
    ];
    const text = dumpPyYaml(value);
    assert.match(text, /^- 1\.0e-07\n- 1\.0e\+22\n- -0\.0\n- \.inf\n- \.nan\n- 1180591620717411303424\n- 0001-02-03\n/);
    assert.match(text, /- 2024-05-06 07:08:09\.000010-01:30\n- !!binary \|\n {2}[\w+/]{76}\n {2}[\w+/=]+\n$/);
    assert.deepEqual(parsePyYaml(text), value);
  });

  test("a collection that occurs twice is written once, with an anchor", () => {
    const dims = [0, 0];
    assert.equal(dumpPyYaml(map(["a", dims], ["b", dims])), "a: &id001\n- 0\n- 0\nb: *id001\n");
  });

  test("keys that are long or hold line breaks are written with a question mark", () => {
    const long = "k".repeat(123);
    assert.equal(dumpPyYaml(map([long, 1], ["a\nb", 2], ["", 3])), `? ${long}\n: 1\n? 'a\n\n  b'\n: 2\n? ''\n: 3\n`);
    assert.equal(dumpPyYaml(map(["k".repeat(122), 1])), `${"k".repeat(122)}: 1\n`);
  });

  test("a lone plain scalar is closed by an end marker", () => {
    assert.equal(dumpPyYaml(1), "1\n...\n");
    assert.equal(dumpPyYaml(""), "''\n");
  });

  test("an integer that Python would not print is refused", () => {
    assert.throws(() => dumpPyYaml(10n ** 5000n), { code: "yaml.invalid" });
  });
});

describe("Python's texts", () => {
  test("floats are the shortest digits that read back", () => {
    const cases: readonly (readonly [number, string])[] = [
      [1, "1.0"],
      [0.1, "0.1"],
      [1e16, "1e+16"],
      [1e15, "1000000000000000.0"],
      [0.0001, "0.0001"],
      [0.00001, "1e-05"],
      [123.456e-10, "1.23456e-08"],
      [5e-324, "5e-324"],
      [-0, "-0.0"],
    ];
    for (const [value, text] of cases) assert.equal(pythonFloatRepr(value), text);
  });

  test("repr quotes as Python does", () => {
    assert.equal(pythonRepr(["a'b", 'a"b', `'"`, "é\n\u200b"]), `["a'b", 'a"b', '\\'"', 'é\\n\\u200b']`);
    assert.equal(pythonRepr(Uint8Array.of(0, 39, 65, 255)), `b"\\x00'A\\xff"`);
    assert.equal(
      pythonRepr(new Map<string, YamlValue>([["a", [true, null, new YamlFloat(1)]]])),
      "{'a': [True, None, 1.0]}",
    );
  });
});
