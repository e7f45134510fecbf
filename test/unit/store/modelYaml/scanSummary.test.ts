import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { YamlValue } from "../../../../src/formats/pyYaml";
import { parseModelInfo, renderModelInfo } from "../../../../src/store/modelYaml/modelInfo";
import { scanModelYaml } from "../../../../src/store/modelYaml/scanSummary";

const METADATA = new Map<string, YamlValue>([
  ["classes", ["setosa", "it's", "a: b", "1.0"]],
  [
    "rows",
    [
      new Map([
        ["a", [1, 2]],
        ["b", []],
      ]),
      new Map(),
    ],
  ],
  ["note", "caf\u00e9"],
]);

const TEXT = renderModelInfo(
  {
    name: "iris_clf",
    version: "r6mehnhgmwvaeax4",
    module: "bentoml.onnx",
    labels: { owner: "vision", stage: "" },
    metadata: METADATA,
    options: new Map([["providers", null]]),
    signatures: { run: { batchable: true, batchDim: [0, 0] }, other: { batchable: true, batchDim: [0, 0] } },
    apiVersion: "v2",
    frameworkName: "onnx",
    frameworkVersions: { onnx: "1.16.0" },
  },
  1_767_323_045_000.006,
);

const scan = (text: string) => scanModelYaml(Buffer.from(text));

describe("the model.yaml scanner", () => {
  test("it answers for what BentoML writes, as the full parser does", () => {
    const { tag, module, creationTime } = parseModelInfo(TEXT);
    assert.deepEqual(scan(TEXT), {
      ...tag,
      module,
      creationMs: creationTime.epochMs,
      creationMicros: creationTime.micros,
    });
  });

  test("it answers for the anchors of a shared batch_dim and for quoted versions", () => {
    const shared = TEXT.replace("batch_dim:\n    - 0\n    - 0", "batch_dim: &id001\n    - 0\n    - 0").replace(
      "    batch_dim:\n    - 0\n    - 0\napi",
      "    batch_dim: *id001\napi",
    );
    assert.match(shared, /\*id001/);
    assert.equal(scan(shared)?.name, "iris_clf");
    for (const version of ["'1.0'", "1e3", "'2024-01-01'", "'089'", "089"]) {
      assert.equal(scan(TEXT.replace(/^version: .*/m, `version: ${version}`))?.version, version.replaceAll("'", ""));
    }
  });

  test("it leaves everything out of the ordinary to the full parser", () => {
    const unusual: readonly string[] = [
      `\ufeff${TEXT}`,
      TEXT.replaceAll("\n", "\r\n"),
      TEXT.replace("vision", "caf\u00e9"),
      TEXT.replace("  owner:", "\towner:"),
      TEXT.replace(/^version: .*/m, "version: 1.10"),
      TEXT.replace(/^version: .*/m, "version: true"),
      TEXT.replace(/^version: .*/m, "version:"),
      TEXT.replace(/^version: .*/m, "version: !!str 1"),
      TEXT.replace(/^version: .*/m, "version: A"),
      TEXT.replace(/^version: .*/m, 'version: "v1"'),
      TEXT.replace(/^version: .*/m, "version: v1 # comment"),
      TEXT.replace(/^version: .*/m, "version: v1\n  more"),
      TEXT.replace("name: iris_clf", "{name: iris_clf}"),
      `${TEXT}version: v2\n`,
      `---\n${TEXT}`,
      `${TEXT}...\n`,
      TEXT.replace("  owner: vision", "  owner: {a: 'x\nversion: evil\n  y'}"),
      TEXT.replace("  owner: vision", '  owner: "x\nversion: evil\n"'),
      TEXT.replace("  owner: vision", "  owner: |\n    x"),
      TEXT.replace("  owner: vision", "    owner: vision"),
      TEXT.replace("  owner: vision", "  <<: {a: b}"),
      TEXT.replace("  owner: vision", "  - owner"),
      TEXT.replace("  owner: vision", "  owner: *id009"),
      TEXT.replace(/^options:\n.*\n/m, ""),
      TEXT.replace(/^options:\n.*\n/m, "options: null\n"),
      TEXT.replace(/^creation_time: .*/m, "creation_time: 2026-01-02"),
      TEXT.replace(/^creation_time: .*/m, "creation_time: 'yesterday'"),
      TEXT.replace("framework_name: onnx", "framework: onnx"),
      TEXT.replace("- setosa", "- null"),
      "",
    ];
    for (const text of unusual) {
      assert.notEqual(text, TEXT);
      assert.equal(scan(text), undefined, text.slice(0, 200));
    }
  });

  test("it takes no longer than the text for hostile lines", () => {
    for (const line of [
      `  a: '${"''".repeat(200_000)}`,
      `  a: ${"b:".repeat(200_000)}`,
      `  ${"a-".repeat(200_000)}`,
      `  a: "${"\\\\".repeat(200_000)}`,
    ]) {
      assert.equal(scan(TEXT.replace("  owner: vision", line)), undefined);
    }
  });
});
