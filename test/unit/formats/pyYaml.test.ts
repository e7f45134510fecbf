import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Budget } from "../../../src/base/budget";
import { ModelbenchError } from "../../../src/base/errors";
import {
  fitsHostThread,
  parsePyYaml,
  YamlDate,
  YamlFloat,
  YamlSet,
  YamlTimestamp,
  type YamlValue,
} from "../../../src/formats/pyYaml";

function failure(text: string): ModelbenchError {
  try {
    parsePyYaml(text);
  } catch (error) {
    if (error instanceof ModelbenchError) return error;
  }
  return assert.fail(`${JSON.stringify(text)} was read`);
}

const float = (value: number) => new YamlFloat(value);

describe("reading YAML", () => {
  test("a long base-60 number has the value that its digits add up to", () => {
    const digits = Array.from({ length: 1_000 }, (_, i) => (i % 59) + 1);
    const value = digits.reduce((total, digit) => total * 60n + BigInt(digit), 0n);
    assert.equal(parsePyYaml(`-${digits.join(":")}`), -value);
  });

  test("plain scalars have the types of YAML 1.1 as PyYAML has them", () => {
    const cases: readonly (readonly [string, YamlValue])[] = [
      ["1e3", "1e3"],
      ["1.0e+3", float(1000)],
      ["089", "089"],
      ["010", 8],
      ["0o17", "0o17"],
      ["0x1f", 31],
      ["0b101", 5],
      ["1_000", 1000],
      ["12:30:45", 45045],
      ["1:30.5", float(90.5)],
      ["y", "y"],
      ["yes", true],
      ["Off", false],
      ["~", null],
      ["", null],
      ["1.0", float(1)],
      [".inf", float(Number.POSITIVE_INFINITY)],
      ["-.inf", float(Number.NEGATIVE_INFINITY)],
      [".nan", float(Number.NaN)],
      ["9007199254740991", 9007199254740991],
      ["9007199254740992", 9007199254740992n],
      ["-123456789012345678901234567890", -123456789012345678901234567890n],
      ["2024-05-06", new YamlDate(2024, 5, 6)],
    ];
    for (const [text, value] of cases) assert.deepEqual(parsePyYaml(`v: ${text}`), new Map([["v", value]]), text);
  });

  test("timestamps keep microseconds and offset", () => {
    const [zoned, naive] = parsePyYaml("[2024-05-06T07:08:09.1234567-05:30, 2024-05-06 07:08:09]") as YamlValue[];
    const parts = { year: 2024, month: 5, day: 6, hour: 7, minute: 8, second: 9 };
    assert.deepEqual(zoned, new YamlTimestamp({ ...parts, micros: 123456, offsetMinutes: -330 }));
    assert.deepEqual(naive, new YamlTimestamp({ ...parts, micros: 0, offsetMinutes: undefined }));
  });

  test("explicit tags build bytes, sets, pairs and converted scalars", () => {
    const text = "[!!binary aGk=, !!set {a, b}, !!omap [a: 1], !!str 12, !!int '0x10', !!float 3]";
    assert.deepEqual(parsePyYaml(text), [
      new Uint8Array(Buffer.from("hi")),
      new YamlSet(["a", "b"]),
      [["a", 1]],
      "12",
      16,
      float(3),
    ]);
  });

  test("keys that Python holds equal are one key, in the first place with the last value", () => {
    assert.deepEqual(
      [...(parsePyYaml("{1: a, x: b, true: c, 1.0: d}") as Map<unknown, unknown>)],
      [
        [1, "d"],
        ["x", "b"],
      ],
    );
    assert.equal((parsePyYaml("{2024-01-01: a, 2024-01-01: b, .nan: 1, .nan: 2}") as Map<unknown, unknown>).size, 2);
  });

  test("an alias is the very object of its anchor", () => {
    const [first, second] = parsePyYaml("[&a [1], *a]") as YamlValue[];
    assert.equal(first, second);
  });

  test("merge keys bring in pairs that the mapping's own override", () => {
    const map = parsePyYaml("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nv: {y: 9, <<: [*b, *m]}") as Map<
      string,
      YamlValue
    >;
    assert.deepEqual(
      map.get("v"),
      new Map([
        ["y", 9],
        ["z", 4],
        ["x", 1],
      ]),
    );
  });

  test("keys with the names of object members are ordinary keys and touch no prototype", () => {
    const before = Reflect.ownKeys(Object.prototype);
    const keys = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    for (const text of [
      keys.map((key) => `${key}: {polluted: 1}\n`).join(""),
      `{<<: {${keys.map((key) => `${key}: {polluted: 1}`).join(", ")}}}`,
      `a: &a {polluted: 1}\n${keys.map((key) => `${key}: *a\n`).join("")}`,
    ]) {
      const map = parsePyYaml(text);
      assert.ok(map instanceof Map && map.get("__proto__") instanceof Map);
    }
    assert.deepEqual(Reflect.ownKeys(Object.prototype), before);
    assert.equal(Reflect.get({}, "polluted"), undefined);
  });

  test("what PyYAML refuses is refused with line, column and offset", () => {
    const cases: readonly (readonly [string, RegExp, number])[] = [
      [
        "a: 1\nb: !!python/object/apply:os.system [id]\n",
        /tag "tag:yaml.org,2002:python\/object\/apply:os.system" is not allowed \(line 2, column 4\)/,
        8,
      ],
      ["a: *x\n", /alias x names no anchor .*line 1, column 4/, 3],
      ["{[1]: 2}", /cannot be a key/, 1],
      ["a: 1\n\tb: 2\n", /U\+0009 cannot start a value \(line 2, column 1\)/, 5],
      ["a: b: c\n", /a mapping value is not allowed here/, 4],
      ["a: 'open\n", /does not end/, 3],
      ["a: b\0c\n", /control character/, 4],
      ["--- a\n--- b\n", /expected the end of the text, found the start of a document/, 6],
      ["a: &x 1\nb: &x 2\n", /defined twice/, 11],
      ["- !!int abc\n", /"abc" is not a value of the type int/, 2],
      ["- 2024-02-30\n", /not a value of the type timestamp/, 2],
      ["&a [*a]", /stands inside the value it names/, 4],
    ];
    for (const [text, message, offset] of cases) {
      const error = failure(text);
      assert.equal(error.code, "yaml.invalid", text);
      assert.match(error.message, message);
      assert.equal(error.offset, offset, text);
    }
  });

  test("messages about hostile text hold no raw control characters and stay short", () => {
    const error = failure(`!<x%0a%1b[31m${"y".repeat(5000)}> a`);
    assert.doesNotMatch(error.message, /\p{Cc}/u);
    assert.ok(error.message.length < 500);
  });
});

describe("limits on YAML", () => {
  const exceeds = (text: string): void => assert.equal(failure(text).code, "budget.exceeded", text.slice(0, 40));

  test("deep, long and multiplying texts are refused as too much", () => {
    exceeds("[".repeat(50_000));
    exceeds("{a: ".repeat(50_000));
    exceeds("- ".repeat(20_000));
    exceeds(Array.from({ length: 200 }, (_, i) => `${" ".repeat(i)}a:\n`).join(""));
    exceeds(`a: ${"x".repeat(1024 * 1024)}`);
    exceeds(`[${"1,".repeat(60_000)}]`);
    exceeds(`a: &a [1]\nb: [${"*a,".repeat(101)}]`);
    const laughs = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(10)}]\n`).join("");
    exceeds(`l0: &l0 [${"lol,".repeat(10)}]\n${laughs}`);
    const merges = Array.from(
      { length: 30 },
      (_, i) => `m${i + 1}: &m${i + 1} {<<: [*m${i}, *m${i}], k${i}: v}\n`,
    ).join("");
    exceeds(`m0: &m0 {k: v}\n${merges}`);
  });

  test("100 levels and 20,000 labels are read", () => {
    assert.ok(Array.isArray(parsePyYaml("[".repeat(100) + "]".repeat(100))));
    const labels = Array.from({ length: 20_000 }, (_, i) => `  label-${i}: value ${i}\n`).join("");
    assert.equal((parsePyYaml(`labels:\n${labels}`) as Map<string, Map<string, string>>).get("labels")?.size, 20_000);
  });

  test("a caller's own budget is spent", () => {
    assert.throws(() => parsePyYaml("[1, 2, 3]", new Budget("x.yaml", { nodes: 3 })), {
      code: "budget.exceeded",
      message: /x\.yaml/,
    });
  });

  test("a text fits the host's thread up to 64 KiB and 2,000 lines or separators", () => {
    assert.equal(fitsHostThread("a: 1\n".repeat(2_000)), true);
    assert.equal(fitsHostThread("a: 1\n".repeat(2_001)), false);
    assert.equal(fitsHostThread(`[${"1,".repeat(2_001)}]`), false);
    assert.equal(fitsHostThread(`a: ${"x".repeat(65_533)}`), true);
    assert.equal(fitsHostThread(`a: ${"é".repeat(40_000)}`), false);
  });
});
