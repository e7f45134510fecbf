import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { bentosUsing } from "../../../src/store/bentos";
import { planCleanUp } from "../../../src/store/cleanUp";
import { frameworkOf, matches, needsLabels, parseFilter } from "../../../src/store/filter";
import type { ModelSummary } from "../../../src/store/model";
import { formatTag, parseTag } from "../../../src/store/tag";
import { failsWith } from "../../fixtures/failures";
import { tempFolder } from "./storeKit";

const DAY = 24 * 3600 * 1000;
const NOW = 1_000 * DAY;

/** A version `days` old. */
function model(tag: string, days: number, more: Partial<ModelSummary> = {}): ModelSummary {
  const { name, version = "" } = parseTag(tag);
  return {
    tag: { name, version },
    path: `/home/models/${name}/${version}`,
    module: "bentoml.onnx",
    creationMs: NOW - days * DAY,
    creationMicros: 0,
    sizeBytes: 1024,
    isLatest: false,
    warnings: [],
    ...more,
  };
}

describe("a clean-up", () => {
  const models = [
    model("a:v1", 50),
    model("a:v2", 40),
    model("a:v3", 30),
    model("a:v4", 20, { isLatest: true }),
    model("a:v5", 10),
    model("b:v1", 90, { isLatest: true }),
  ];
  const plan = (rule: Partial<Parameters<typeof planCleanUp>[1]>) =>
    planCleanUp(models, { nowMs: NOW, pinned: new Set(), used: new Map(), ...rule }).map(({ tag }) => formatTag(tag));

  test("keeps the newest of each name, and takes the oldest first", () => {
    assert.deepEqual(plan({ keep: 2 }), ["a:v1", "a:v2", "a:v3"]);
    assert.deepEqual(plan({ keep: 9 }), []);
  });

  test("takes only what is older, of what is not among the newest", () => {
    assert.deepEqual(plan({ olderThanMs: 35 * DAY }), ["a:v1", "a:v2"]);
    assert.deepEqual(plan({ keep: 4, olderThanMs: 5 * DAY }), ["a:v1"]);
  });

  test("never takes a name's latest, a pinned version or one that a bento uses", () => {
    assert.deepEqual(plan({ keep: 0 }), ["a:v1", "a:v2", "a:v3", "a:v5"]);
    const used = new Map([["a:v2", ["svc:1"]]]);
    assert.deepEqual(plan({ keep: 0, pinned: new Set(["a:v1"]), used }), ["a:v3", "a:v5"]);
  });

  test("takes the newest version for the latest where no file names one, as BentoML does", () => {
    const unnamed = [model("c:v1", 30), model("c:v2", 20), model("c:v0", 10)];
    const rule = { olderThanMs: DAY, nowMs: NOW, pinned: new Set<string>(), used: new Map() };
    assert.deepEqual(
      planCleanUp(unnamed, rule).map(({ tag }) => formatTag(tag)),
      ["c:v1", "c:v2"],
    );
  });

  test("knows a version by its folder's tag and by the one in its file", () => {
    const odd = [model("a:v1", 9, { tag: { name: "other", version: "v7" } })];
    const rule = { keep: 0, nowMs: NOW, used: new Map() };
    assert.equal(planCleanUp(odd, { ...rule, pinned: new Set(["a:v1"]) }).length, 0);
    assert.equal(planCleanUp(odd, { ...rule, pinned: new Set(["other:v7"]) }).length, 0);
    const newer = model("a:v2", 1, { isLatest: true });
    assert.equal(planCleanUp([...odd, newer], { ...rule, pinned: new Set() }).length, 1);
  });
});

describe("a filter", () => {
  const iris = model("iris_clf:v1", 10, { sizeBytes: 5 * 1024 * 1024 });
  const labels = new Map([
    ["owner", "Team A"],
    ["stage", "prod"],
    ["empty", ""],
  ]);
  const fits = (text: string) => matches(parseFilter(text), iris, labels, NOW);

  test("finds by label, framework, module, age, size and text", () => {
    for (const yes of [
      "",
      "iris",
      "CLF:v1",
      "onnx",
      "stage=prod",
      'owner="Team A"',
      '"owner=Team A"',
      "empty=",
      "framework:ONNX",
      "module:bentoml.onnx",
      "age<11d",
      "age>1w",
      "age>=239h",
      "size>1MiB",
      "size<6M",
      "size<=5.5mb",
      "stage=prod age<2w iris",
    ]) {
      assert.equal(fits(yes), true, yes);
    }
    for (const no of [
      "irisx",
      "stage=dev",
      "Stage=prod",
      "none=",
      "framework:onn",
      "age<7d",
      "size>1G",
      "iris stage=dev",
    ]) {
      assert.equal(fits(no), false, no);
    }
    assert.equal(matches(parseFilter("stage=prod"), iris, undefined, NOW), false);
  });

  test("says when labels have to be read", () => {
    assert.equal(needsLabels(parseFilter("iris age<7d")), false);
    assert.equal(needsLabels(parseFilter("iris a=b")), true);
  });

  test("says what was expected where it cannot be read", () => {
    for (const text of [
      "age<soon",
      "age<7",
      "size>big",
      "size>10",
      "=x",
      'owner="Team',
      "framework:",
      "age>1constructor",
    ]) {
      const { remedy } = failsWith("usage", () => parseFilter(text));
      assert.match(remedy ?? "", /label=value/, text);
    }
  });

  test("knows a framework by its public and its private module", () => {
    assert.equal(frameworkOf("bentoml._internal.frameworks.sklearn"), "sklearn");
    assert.equal(frameworkOf("bentoml.sklearn"), "sklearn");
    assert.equal(frameworkOf("my.own"), "my.own");
  });
});

test("bentos say which models they use; broken ones and ones with models of their own use none", () => {
  const temp = tempFolder();
  after(() => temp.remove());
  const bento = (tag: string, yaml: string, hasModels = false) => {
    const folder = join(temp.path, "bentos", tag.replace(":", "/"));
    mkdirSync(join(folder, hasModels ? "models" : "src"), { recursive: true });
    writeFileSync(join(folder, "bento.yaml"), yaml);
  };
  bento(
    "svc:1",
    "name: svc\nversion: '1'\nmodels:\n- tag: a:v1\n  module: x\nservices:\n- name: s\n  models:\n  - tag: b:v1\n  - tag: a:v1\n",
  );
  bento("svc:2", "models: [a:v1, 7, {tag: [x]}]\nservices: none\n");
  bento("own:1", "models:\n- tag: a:v1\n", true);
  bento("torn:1", "models: [");
  writeFileSync(join(temp.path, "bentos/svc/latest"), "2");
  assert.deepEqual(Object.fromEntries(bentosUsing(temp.path)), { "a:v1": ["svc:1", "svc:2"], "b:v1": ["svc:1"] });
  assert.equal(bentosUsing(join(temp.path, "none")).size, 0);
});
