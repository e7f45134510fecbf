import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ModelbenchError } from "../../src/base/errors";
import type { ModelInfo } from "../../src/store/model";
import { modelJson, modelYaml } from "../../src/store/modelYaml/bentoJson";
import { parseIsoTime } from "../../src/store/modelYaml/isoTime";
import { parseModelInfo, renderModelInfo } from "../../src/store/modelYaml/modelInfo";
import { scanModelYaml } from "../../src/store/modelYaml/scanSummary";
import { formatTag } from "../../src/store/tag";
import { fc } from "../fixtures/fastCheck";
import { anyValue, mutated } from "./arbitraries";
import { Oracle } from "./oracle";
import { encodeValue, type Tagged } from "./pythonValue";

const oracle = new Oracle();
after(() => oracle.dispose());

interface Theirs {
  readonly tag: string;
  readonly module: string;
  readonly created: Tagged;
  /** `null` where a key has no JSON form, so that BentoML cannot print the model. */
  readonly json: string | null;
  readonly yaml: string;
}

const MODEL = `name: iris_clf
version: r6mehnhgmwvaeax4
module: bentoml.onnx
labels:
  owner: vision
  note: "caf\\xE9"
options:
  input_specs:
    run:
    - name: x
      type:
        tensorType:
          elemType: 1
          shape:
            dim:
            - dimParam: batch
            - dimValue: '3'
  providers: null
metadata:
  acc: 0.97
  classes:
  - setosa
  - versicolor
  day: 2026-01-02
  raw: !!binary |
    aGVsbG8=
  big: 123456789012345678901234567890
  1: one
  nothing: []
context:
  framework_name: onnx
  framework_versions:
    onnx: 1.16.0
  bentoml_version: 1.4.39
  python_version: 3.11.7
signatures:
  run:
    batchable: true
    batch_dim: &id001
    - 0
    - 0
  other:
    batchable: true
    batch_dim: *id001
    input_spec: {a: 2026-01-02 03:04:05}
api_version: v2
creation_time: '2026-01-02T03:04:05.000006+00:00'
`;

/** A model of the plainest kind, which the scanner answers for. */
const PLAIN = MODEL.replace(/ {2}raw:.*\n.*\n/, "").replace(/ {4}input_spec:.*\n/, "");

/** Replaces one field by something else that a file may hold. */
const replaced = fc
  .record({
    field: fc.constantFrom(
      ..."name version module labels options metadata context signatures api_version creation_time".split(" "),
      ..."framework_name framework_versions bentoml_version python_version batchable batch_dim run".split(" "),
    ),
    value: fc.constantFrom(
      ..."{}|[]|null|~|''|v1|1.0|1e3|0x1f|true|'true'|{a: b}|{1: 2, ~: 3}|[1, 2]|[1]|[1, 2, 3]|['0', '1']|[1.9, true]|[a, b]".split(
        "|",
      ),
      ..."'00'|2026-01-02|2026-01-02 03:04:05|'2026-01-02'|'2026-01-02T03:04:05Z'|20260102|'20260102T030405+0130'|[[a, 1]]".split(
        "|",
      ),
      ..."{pip_dependencies: [a]}|{framework_name: 7, framework_versions: {a: 1}, extra: 1}|{a: {batchable: 'no', batch_dim: [3, 4]}}".split(
        "|",
      ),
      ..."{a: [], b: x, c: {}}|{a: null}|{a: 5}|{a: {batch_dim: 0}}|{? 2026-01-01 : 1}|!!set {a}|{a: !!set {b}}|.nan|[.inf, 0]|latest|A.B|a_".split(
        "|",
      ),
      ..."{a: {input_spec: 2026-01-02 03:04:05, output_spec: [.nan, !!binary AAE=]}}|{a: [1.5, {b: 2026-01-02 03:04:05.5+01:00}]}".split(
        "|",
      ),
    ),
  })
  .map(({ field, value }) =>
    MODEL.replace(new RegExp(`^( *)${field}:.*\\n(?:\\1[ -].*\\n)*`, "m"), `$1${field}: ${value}\n`),
  );

function ours(text: string): ModelInfo | ModelbenchError {
  try {
    return parseModelInfo(text, "model.yaml");
  } catch (error) {
    if (error instanceof ModelbenchError) return error;
    throw error;
  }
}

/** The one thing that Python reads and we do not. */
const OFFSET_WITH_SECONDS = /[-+]\d\d(?::?\d\d:?\d\d|.*[.,])/;

/** What is stricter here than in BentoML, by what our message says. */
const STRICTER =
  /the alias .* stands inside|more than|deeper than|version must be text .* found None|must be two integers, found (\[.*\d{17}|b')|\\u\{a\}/;

async function agree(text: string): Promise<ModelInfo | undefined> {
  const { value: theirs, error } = await oracle.ask<Theirs>("modelInfo", { text });
  const mine = ours(text);
  if (mine instanceof ModelbenchError) {
    assert.ok(
      error !== undefined || STRICTER.test(mine.message),
      `only we refuse ${JSON.stringify(text)}: ${mine.message}`,
    );
    return undefined;
  }
  assert.ok(theirs, `BentoML refuses ${JSON.stringify(text)}: ${error}`);
  assert.equal(formatTag(mine.tag), theirs.tag);
  assert.equal(mine.module, theirs.module);
  // A file that names no Python gets the reader's own there, which is not ours to know.
  if (!text.includes("python_version")) return mine;
  if (theirs.json !== null) assert.equal(modelJson(mine), theirs.json);
  if (!hasSharedDefault(mine)) assert.equal(modelYaml(mine), theirs.yaml);
  return mine;
}

/** BentoML's default batch_dim is one object, so its own dump of two methods that lack one has an anchor. */
function hasSharedDefault({ signatures }: ModelInfo): boolean {
  return [...signatures.values()].filter(({ batchable }) => batchable).length > 1;
}

describe(`model.yaml as the real bentoml reads it`, { concurrency: false }, () => {
  const run = <T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => Promise<void>, numRuns: number): Promise<void> =>
    fc.assert(fc.asyncProperty(arbitrary, check), { numRuns });

  test("the undamaged model reads alike, to the last letter of its JSON", async () => {
    const info = await agree(MODEL);
    assert.deepEqual(info?.creationTime, {
      text: "2026-01-02T03:04:05.000006+00:00",
      epochMs: 1767323045000,
      micros: 6,
    });
  });

  test("files with one field replaced are read or refused as BentoML does", () =>
    run(replaced, async (text) => void (await agree(text)), 800));

  test("files damaged at random are read or refused as BentoML does", () =>
    run(mutated(fc.constant(MODEL)), async (text) => void (await agree(text)), 800));

  test("any metadata that BentoML takes prints the same JSON and YAML", () =>
    run(
      anyValue,
      async (value) => {
        const draft = draftWith(new Map([["m", value]]));
        const text = (() => {
          try {
            return renderModelInfo(draft, 1_767_323_045_000.006);
          } catch (error) {
            assert.ok(error instanceof ModelbenchError && error.code === "yaml.invalid");
            return undefined;
          }
        })();
        if (text !== undefined) assert.ok(await agree(text));
      },
      1_000,
    ));

  test("what the scanner answers is what the full reader answers, whenever that reads the file", () =>
    run(
      fc.oneof(mutated(fc.constant(PLAIN)), fc.constant(PLAIN)),
      async (text) => {
        const scanned = scanModelYaml(Buffer.from(text));
        if (scanned === undefined) return;
        const info = ours(text);
        if (info instanceof ModelbenchError) return;
        const { tag, module, creationTime } = info;
        const { epochMs: creationMs, micros: creationMicros } = creationTime;
        assert.deepEqual(scanned, { ...tag, module, creationMs, creationMicros }, text);
      },
      6_000,
    ));

  test("times are read as datetime.fromisoformat reads them", () => {
    const piece = fc.constantFrom(
      ..."2026 01 02 366 53 24 23 60 59 - - - : : : . , + Z T W 0 7 123456 1234567 é".split(" "),
      " ",
    );
    const near = fc.constantFrom(
      "2026-01-02T03:04:05.000006+00:00",
      "20260102T030405,5-0130",
      "2026-W53-7",
      "01530223:20262026",
      "232402012026Z",
      "2026-01-02T03:04:+01:00",
      "2026W01",
      "2026-01-02 03",
    );
    return run(
      fc.oneof(
        mutated(near),
        fc.array(piece, { maxLength: 9 }).map((all) => all.join("")),
      ),
      async (text) => {
        const theirs = await oracle.ask<Tagged>("isoTime", { text });
        const mine = parseIsoTime(text);
        if (mine !== undefined) assert.deepEqual(encodeValue(mine), theirs.value, JSON.stringify(text));
        else if (theirs.error === undefined) assert.match(text, OFFSET_WITH_SECONDS, JSON.stringify(text));
      },
      5_000,
    );
  });
});

function draftWith(metadata: ReturnType<typeof parseModelInfo>["metadata"]): Parameters<typeof renderModelInfo>[0] {
  return {
    name: "m",
    version: "v1",
    module: "bentoml.onnx",
    labels: { owner: "é" },
    metadata,
    options: new Map(),
    signatures: { run: { batchable: true, batchDim: [0, 0] } },
    apiVersion: "v2",
    frameworkName: "onnx",
    frameworkVersions: { onnx: "1.16.0" },
  };
}
