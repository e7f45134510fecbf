import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ModelbenchError } from "../../src/base/errors";
import { dumpPyYaml, parsePyYaml, type YamlValue } from "../../src/formats/pyYaml";
import { fc } from "../fixtures/fastCheck";
import { anyText, anyValue, mutated, ruleText } from "./arbitraries";
import { Oracle } from "./oracle";
import { encodeValue, type Tagged } from "./pythonValue";

const oracle = new Oracle();
after(() => oracle.dispose());

/** Ours in the oracle's form, or the refusal's code. */
function ours(text: string): { value: Tagged } | { refused: ModelbenchError } {
  try {
    return { value: encodeValue(parsePyYaml(text)) };
  } catch (error) {
    if (error instanceof ModelbenchError) return { refused: error };
    throw error;
  }
}

/** Same value or both refuse; what only we refuse must be a limit or a value that contains itself. */
async function agree(text: string): Promise<void> {
  const theirs = await oracle.ask<Tagged>("load", { text });
  const mine = ours(text);
  if ("value" in mine) {
    assert.equal(theirs.error, undefined, `PyYAML refuses ${JSON.stringify(text)}`);
    assert.deepEqual(mine.value, theirs.value, JSON.stringify(text));
  } else if (theirs.error === undefined) {
    const { code, message } = mine.refused;
    const known = code === "budget.exceeded" || message.includes("stands inside the value it names");
    assert.ok(known, `only we refuse ${JSON.stringify(text)}: ${message}`);
  }
}

async function sameDump(value: YamlValue): Promise<void> {
  const theirs = await oracle.ask<string>("dump", { value: encodeValue(value) });
  assert.equal(theirs.error, undefined);
  assert.equal(dumpPyYaml(value), theirs.value);
}

const MODEL = `name: iris_clf
version: v1
module: bentoml.onnx
labels:
  owner: 'vision'
  "stage": "prod\\n"
options:
  input_specs:
    run:
    - name: x
      type: {tensorType: {shape: [1, null]}}
  providers: null
metadata: &m
  note: |
    first
      second
  folded: >-
    one
    two
  long: some words
    and more # comment
context:
  framework_versions: {onnx: 1.16.0}
signatures:
  run: &s
    batchable: true
    batch_dim: &id001
    - 0
    - 0
  other:
    <<: *s
    batch_dim: *id001
api_version: v2
? complex
: - !!str 12
  - !!set {a, b}
creation_time: '2026-01-02T03:04:05.000006+00:00'
`;

describe(`YAML as the real PyYAML reads and writes it`, { concurrency: false }, () => {
  const run = <T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => Promise<void>, numRuns: number): Promise<void> =>
    fc.assert(fc.asyncProperty(arbitrary, check), { numRuns });

  test("plain scalars near the rules have PyYAML's type and value", () =>
    run(ruleText, (text) => agree(`- ${text}\n`), 4_000));

  test("the scalars that YAML readers differ on have PyYAML's type and value", async () => {
    const scalars =
      "1e3 1e+3 1.0e+3 1.e+3 .5 -.5 5. 089 010 0o17 0x1F -0x1f 0b101 0b 0x 0_ +0 -0 1_000 1__0 _1 y Y yes YES yEs on off n " +
      "~ null Null nULL true tRue .inf -.inf +.Inf .INF .nan .NaN -.nan 12:30:45 1:60 1:30.5 190:20:30 = << 2024-01-01 " +
      "2024-1-1 2024-02-30 2024-01-01T00:00:00Z 2024-01-01t1:02:03.1234567+5:30 2024-01-01T00:00:00.5-00:00 0001-01-01 " +
      "0000-01-01 99999999999999999999 -9007199254740993 9007199254740992.0 1.7976931348623159e+308 4.9e-324 0.1 -0.0";
    for (const text of scalars.split(" ")) await agree(`value: ${text}\n`);
    for (const text of ["2024-01-01 00:00:00 +01:00", "2024-01-01 10:20:30.000001", "", " ", "1 000"])
      await agree(`- ${text}\n`);
  });

  test("explicit tags convert or refuse as PyYAML's do", () => {
    const tag = fc.constantFrom(
      "!!int",
      "!!float",
      "!!bool",
      "!!null",
      "!!str",
      "!!binary",
      "!!timestamp",
      "!",
      "!!set",
    );
    const text = fc.oneof(
      ruleText.filter((t) => /^[ -~]*$/.test(t)),
      fc.base64String(),
      fc.constantFrom("inf", "1e3", "NaN"),
    );
    return run(fc.tuple(tag, text), ([t, s]) => agree(`- ${t} ${JSON.stringify(s)}\n- ! ${s}\n`), 2_000);
  });

  test("documents damaged at random are read or refused as PyYAML does", () =>
    run(mutated(fc.constant(MODEL)), agree, 4_000));

  test("what PyYAML writes is read back, and read alike once damaged", () =>
    run(mutated(anyValue.map((value) => dumpPyYaml(value))), agree, 1_500));

  test("texts in every quoting style, damaged, are read or refused alike", () => {
    const quoted = fc.tuple(fc.constantFrom("'", '"', "|\n  ", ">\n  ", "|-\n  ", ">2+\n   ", ""), anyText);
    const text = quoted.map(
      ([quote, body]) => `a:\n  b: ${quote}${body.replaceAll("\n", "\n   ")}${quote.length === 1 ? quote : ""}\n`,
    );
    return run(fc.oneof(text, mutated(text)), agree, 2_500);
  });

  test("every value is written byte for byte as PyYAML writes it, shared collections included", () =>
    run(anyValue, sameDump, 2_500));

  test("every text is quoted, folded and escaped as PyYAML does, as value, key and root", () =>
    run(
      anyText,
      async (text) => {
        await sameDump(text);
        await sameDump(new Map([[text, [text, new Map([["k", text]])]]]));
      },
      2_000,
    ));

  test("a merge bomb that PyYAML does not finish is refused by us, and small merges of merges agree", async () => {
    const bombOf = (length: number): string => {
      const levels = Array.from({ length }, (_, i) => `a${i + 1}: &a${i + 1} {<<: [*a${i}, *a${i}], k${i}: 1}`);
      return `a0: &a0 {k: v}\n${levels.join("\n")}\n`;
    };
    await agree(bombOf(9));
    const bomb = bombOf(24);
    await assert.rejects(oracle.ask("load", { text: bomb }, 2_000), /took longer/);
    assert.throws(() => parsePyYaml(bomb), { code: "budget.exceeded" });
    assert.deepEqual((await oracle.ask("load", { text: "again" })).value, ["str", "again"]);
  });
});
