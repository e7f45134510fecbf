import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { YamlFloat, type YamlValue } from "../../src/formats/pyYaml";
import type { ModelDraft, ModelSummary } from "../../src/store/model";
import { listJson, listYaml, modelJson } from "../../src/store/modelYaml/bentoJson";
import { parseModelInfo, renderModelInfo } from "../../src/store/modelYaml/modelInfo";
import { Oracle } from "./oracle";

const oracle = new Oracle();
let home = "";
const models: ModelSummary[] = [];

before(() => {
  home = mkdtempSync(join(tmpdir(), "modelbench-json-"));
  const metadata = new Map<string, YamlValue>([
    ["nan", new YamlFloat(Number.NaN)],
    ["inf", new YamlFloat(Number.NEGATIVE_INFINITY)],
    ["small", new YamlFloat(1e-7)],
    ["big", 123456789012345678901234567890n],
    ["bytes", Uint8Array.of(0, 39, 255)],
    ["text", "café ☃ 😀 \u0007\u2028 <b>"],
  ]);
  save("iris_clf", "v1", metadata, 1_767_323_045_000.006, 10);
  save("iris_clf", "v10", new Map(), 1_767_323_045_001, 1024 * 1024 * 2);
  save("digits", "1e3", metadata, 1_700_000_000_000, 1023);
  save("digits", "089", metadata, 1_767_323_045_000.005, 1025);
});

after(() => {
  oracle.dispose();
  rmSync(home, { recursive: true, force: true });
});

/** Writes a version as it lies in a store and remembers what a list says of it. */
function save(name: string, version: string, metadata: ModelDraft["metadata"], created: number, bytes: number): void {
  const path = join(home, "models", name, version);
  mkdirSync(path, { recursive: true });
  const draft = { name, version, metadata, module: "bentoml.onnx", labels: { stage: "prod" }, options: new Map() };
  const framework = { apiVersion: "v2", frameworkName: "onnx", frameworkVersions: { onnx: "1.16.0" } };
  const signatures = { run: { batchable: true, batchDim: [0, 0] as const } };
  const yaml = renderModelInfo({ ...draft, ...framework, signatures }, created);
  writeFileSync(join(path, "model.yaml"), yaml);
  writeFileSync(join(path, "saved_model.onnx"), Buffer.alloc(bytes));
  writeFileSync(join(home, "models", name, "latest"), version);
  const { tag, module, creationTime } = parseModelInfo(yaml);
  models.push({
    tag,
    path,
    module,
    creationMs: creationTime.epochMs,
    creationMicros: creationTime.micros,
    sizeBytes: bytes + Buffer.byteLength(yaml),
    isLatest: true,
    warnings: [],
  });
}

async function bentoml(...args: string[]): Promise<string> {
  const { value, error } = await oracle.ask<{ exit: number; output: string }>("command", { home, arguments: args });
  assert.equal(error, undefined);
  assert.equal(value?.exit, 0, value?.output);
  return value?.output ?? "";
}

describe("what the real bentoml prints", { concurrency: false }, () => {
  test("a list is its JSON to the last letter, and its YAML", async () => {
    assert.equal(`${listJson(models)}\n`, await bentoml("models", "list", "-o", "json"));
    const yaml = await bentoml("models", "list", "-o", "yaml");
    assert.equal(listYaml(models).trimEnd(), yaml.replace(/ +$/gm, "").trimEnd());
  });

  test("a model is its JSON to the last letter: bare NaN, Python's bytes, raw letters", async () => {
    for (const { tag, path } of models) {
      const info = parseModelInfo(readFileSync(join(path, "model.yaml")));
      assert.equal(`${modelJson(info)}\n`, await bentoml("models", "get", `${tag.name}:${tag.version}`, "-o", "json"));
    }
  });
});
