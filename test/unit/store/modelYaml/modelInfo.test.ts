import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { YamlFloat, type YamlMap } from "../../../../src/formats/pyYaml";
import { modelJson, modelYaml, pythonJson } from "../../../../src/store/modelYaml/bentoJson";
import { parseModelInfo, renderModelInfo } from "../../../../src/store/modelYaml/modelInfo";

const DRAFT: Parameters<typeof renderModelInfo>[0] = {
  name: "iris_clf",
  version: "1e3",
  module: "bentoml.onnx",
  labels: { owner: "vision" },
  metadata: new Map([["acc", new YamlFloat(0.97)]]),
  options: new Map([["providers", null]]),
  signatures: { run: { batchable: true, batchDim: [0, 0] }, other: { batchable: false, batchDim: [1, 1] } },
  apiVersion: "v2",
  frameworkName: "onnx",
  frameworkVersions: { onnx: "1.16.0" },
};

const TEXT = `name: iris_clf
version: 1e3
module: bentoml.onnx
labels:
  owner: vision
options:
  providers: null
metadata:
  acc: 0.97
context:
  framework_name: onnx
  framework_versions:
    onnx: 1.16.0
  bentoml_version: 1.4.39
  python_version: ''
signatures:
  run:
    batchable: true
    batch_dim:
    - 0
    - 0
  other:
    batchable: false
api_version: v2
creation_time: '2026-01-02T03:04:05.000006+00:00'
`;

function refused(text: string): string {
  try {
    parseModelInfo(text, "/store/model.yaml");
  } catch (error) {
    assert.ok(error instanceof ModelbenchError);
    assert.equal(error.path, "/store/model.yaml");
    return error.code;
  }
  return assert.fail(`read: ${text}`);
}

describe("model.yaml", () => {
  test("a draft is written in BentoML's order and style", () => {
    assert.equal(renderModelInfo(DRAFT, 1_767_323_045_000.006), TEXT);
    assert.match(renderModelInfo(DRAFT, 1_767_323_045_000), /creation_time: '2026-01-02T03:04:05\+00:00'\n$/);
  });

  test("what was written is read back", () => {
    const info = parseModelInfo(TEXT);
    assert.deepEqual(info.tag, { name: "iris_clf", version: "1e3" });
    assert.deepEqual(info.signatures.get("other"), { batchable: false, batchDim: [0, 0] });
    assert.deepEqual(info.creationTime, {
      text: "2026-01-02T03:04:05.000006+00:00",
      epochMs: 1_767_323_045_000,
      micros: 6,
    });
    assert.equal(modelYaml(info), TEXT);
    assert.deepEqual(JSON.parse(modelJson(info)).metadata, { acc: 0.97 });
  });

  test("a byte order mark, CRLF and bytes make no difference", () => {
    const crlf = `\ufeff${TEXT.replaceAll("\n", "\r\n")}`;
    assert.deepEqual(parseModelInfo(Buffer.from(crlf)), parseModelInfo(TEXT));
    assert.throws(() => parseModelInfo(Buffer.from([0x61, 0xff])), { code: "yaml.invalid", message: /not UTF-8/ });
  });

  test("anchors are resolved, unknown keys are kept in the document only, legacy keys are understood", () => {
    const text = TEXT.replace("    batch_dim:\n    - 0\n    - 0", "    batch_dim: &id001\n    - 1\n    - 0")
      .replace("    batchable: false", "    batchable: true\n    batch_dim: *id001\n    future: 1")
      .replace("  framework_versions:\n    onnx: 1.16.0", "  pip_dependencies:\n  - onnx")
      .replace("api_version", "bentoml_version: 1.0.0\nfuture: [1, 2]\napi_version");
    const info = parseModelInfo(text);
    assert.deepEqual(info.signatures.get("other"), { batchable: true, batchDim: [1, 0] });
    assert.deepEqual(info.document.get("future"), [1, 2]);
    assert.equal(info.context.frameworkVersions.size, 0);
    assert.doesNotMatch(modelYaml(info), /future|1\.0\.0/);
  });

  test("labels, module and api_version become text as Python's str makes it", () => {
    const text = TEXT.replace("  owner: vision", "  a: true\n  b: ~\n  c: 1.0\n  1: [x, 2]").replace(
      "module: bentoml.onnx",
      "module: null",
    );
    const info = parseModelInfo(text);
    assert.deepEqual(
      [...info.labels],
      [
        ["a", "True"],
        ["b", "None"],
        ["c", "1.0"],
        ["1", "['x', 2]"],
      ],
    );
    assert.equal(info.module, "None");
  });

  test("what BentoML's reader refuses is refused with the path", () => {
    for (const key of [
      "name",
      "version",
      "module",
      "labels",
      "options",
      "metadata",
      "context",
      "api_version",
      "creation_time",
    ]) {
      assert.equal(refused(TEXT.replace(new RegExp(`^${key}:.*\\n(?: .*\\n)*`, "m"), "")), "yaml.invalid", key);
    }
    assert.equal(refused(""), "yaml.invalid");
    assert.equal(refused("- a\n"), "yaml.invalid");
    assert.equal(refused(TEXT.replace("version: 1e3", "version: 1.10")), "yaml.invalid");
    assert.equal(refused(TEXT.replace("version: 1e3", "version: a:b")), "tag.invalid");
    assert.equal(refused(TEXT.replace("name: iris_clf", "name: -rf")), "tag.invalid");
    assert.equal(refused(TEXT.replace("name: iris_clf", 'name: "a\\0b"')), "tag.invalid");
    assert.equal(refused(TEXT.replace("acc: 0.97", "acc: null")), "yaml.invalid");
    assert.equal(refused(TEXT.replace("    - 0\n    - 0\n", "    - 0\n")), "yaml.invalid");
    assert.equal(refused(TEXT.replace("    - 0\n    - 0\n", "    - 0\n    - 0\n    - 0\n")), "yaml.invalid");
    assert.equal(refused(TEXT.replace(/creation_time: .*/, "creation_time: yesterday")), "yaml.invalid");
    assert.equal(refused(TEXT.replace(/creation_time: .*/, "creation_time: 2026-01-02")), "yaml.invalid");
    assert.equal(refused(TEXT.replace("module:", "module: !!python/object/apply:os.system [id] #")), "yaml.invalid");
  });

  test("metadata that no reader would take back is not written", () => {
    const metadata: YamlMap = new Map([["a", [new Map([["b", null]])]]]);
    assert.throws(() => renderModelInfo({ ...DRAFT, metadata }, 0), {
      code: "yaml.invalid",
      message: /metadata\.a\[0\]\.b must be/,
    });
  });

  test("times without a zone are local, others exact whatever their offset", () => {
    const at = (time: string) =>
      parseModelInfo(TEXT.replace(/creation_time: .*/, `creation_time: ${time}`)).creationTime;
    assert.equal(at("'2026-01-02T03:04:05Z'").epochMs, 1_767_323_045_000);
    assert.equal(at("2026-01-02 04:34:05.5+01:30").epochMs, 1_767_323_045_500);
    assert.equal(at("'2026-01-02 03:04:05'").epochMs, new Date(2026, 0, 2, 3, 4, 5).getTime());
    assert.deepEqual(at("'1969-12-31T23:59:59.999999+00:00'"), {
      text: "1969-12-31T23:59:59.999999+00:00",
      epochMs: -1,
      micros: 999,
    });
  });
});

describe("Python's JSON", () => {
  test("keys that print alike collapse to the first place and the last value", () => {
    assert.equal(
      pythonJson(
        new Map<string | number | boolean, string>([
          [1, "a"],
          ["x", "b"],
          ["1", "c"],
        ]),
      ),
      '{\n  "1": "c",\n  "x": "b"\n}',
    );
  });

  test("numbers are exact and NaN is a bare word", () => {
    const value = [2n ** 70n, new YamlFloat(Number.NaN), new YamlFloat(1e16), new YamlFloat(1), Uint8Array.of(0)];
    assert.equal(pythonJson(value), "[\n  1180591620717411303424,\n  NaN,\n  1e+16,\n  1.0,\n  \"b'\\\\x00'\"\n]");
    assert.equal(pythonJson([]), "[]");
  });
});
