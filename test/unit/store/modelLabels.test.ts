import assert from "node:assert/strict";
import { test } from "node:test";
import { scanLabels } from "../../../src/store/modelLabels";
import { parseModelInfo } from "../../../src/store/modelYaml/modelInfo";
import { yamlOf } from "./storeKit";

/** Sections of labels, each below its key. */
const SECTIONS = [
  " {}",
  "\n  stage: dev",
  "\n  stage: dev\n  owner: 'Team A'",
  "\n  a.b-c: x/y+z\n  _under: ''",
  "\n  one: '1'\n  one: '2'",
  "\n  yes: text",
  "\n  count: 1",
  "\n  when: 2024-01-02",
  "\n  none: ~",
  "\n  quoted: 'it''s'",
  "\n    deeper: indent",
  '\n  double: "a\\nb"',
  "\n  text: with spaces",
  "\n  colon: 'a: b'",
  "\n  'key': value",
  " {a: b}",
  "\n  nested:\n    a: b",
  "",
];

for (const section of SECTIONS) {
  test(`labels written as ${JSON.stringify(section)} are scanned as the full parser reads them, or left to it`, () => {
    const yaml = Buffer.from(yamlOf("m", "v1").replace("labels: {}", `labels:${section}`));
    const scanned = scanLabels(yaml);
    let parsed: ReadonlyMap<string, string> | undefined;
    try {
      parsed = parseModelInfo(yaml, "model.yaml").labels;
    } catch {
      parsed = undefined;
    }
    if (scanned !== undefined) assert.deepEqual([...scanned], [...(parsed ?? [])]);
  });
}

test("labels as BentoML writes them need no parser", () => {
  for (const section of SECTIONS.slice(0, 4)) {
    const yaml = Buffer.from(yamlOf("m", "v1").replace("labels: {}", `labels:${section}`));
    assert.notEqual(scanLabels(yaml), undefined, section);
  }
});
