import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";
import { type CliKit, openCliKit } from "../../fixtures/cliKit";
import { corpus, type HostileCase } from "../../fixtures/hostileCorpus";
import { FileInspector, type Inspected, type InspectedDocument } from "../../fixtures/inspectedFile";
import { addModel } from "../../fixtures/onnxParts";

let kit: CliKit;
let inspector: FileInspector;
before(async () => {
  kit = await openCliKit();
  inspector = new FileInspector(kit);
});
after(() => kit.dispose());

/** How a refusal of each group is called. */
const REFUSALS: Readonly<Record<string, RegExp>> = {
  archive: /^(archive\.(unsafe|corrupt|format)|format\.mismatch|yaml\.invalid|tag\.invalid|budget\.exceeded)$/,
  yaml: /^(yaml\.invalid|tag\.invalid|budget\.exceeded|model\.broken)$/,
};
const DAMAGED = /^(format\.(mismatch|corrupt)|budget\.exceeded)$/;

function assertJudged({ group, verdict, reasons }: HostileCase, { document, error }: Inspected): void {
  if (error) {
    assert.ok(verdict === "reject" || verdict === "either", `${verdict}, but ${error.code}: ${error.message}`);
    assert.match(error.code, REFUSALS[group] ?? DAMAGED, error.message);
    return;
  }
  assert.notEqual(verdict, "reject", `it was read as ${document.format}`);
  if (group === "pickle") assertPickle(reasons, document);
  if (group === "onnx" && reasons.includes("external-data")) {
    assert.ok(document.tensors.some(({ sha256 }) => sha256 === undefined));
    assert.ok(document.warnings.some(({ code }) => code.startsWith("onnx.external.")));
  }
}

/** Whatever can run code is never said to be within the allow list; what cannot be read to its end neither. */
function assertPickle(reasons: readonly string[], { pickle }: InspectedDocument): void {
  assert.ok(pickle);
  if (reasons.length === 0) assert.equal(pickle.verdict, "allowed");
  if (reasons.includes("code-execution")) assert.ok(pickle.imports.length > 0 || pickle.verdict !== "allowed");
}

/** A model.yaml is looked into as that of a model. */
function subjectOf(hostile: HostileCase, folder: string): string {
  const path = resolve("test/fixtures/hostile", hostile.file ?? "");
  return hostile.group === "yaml" ? folder : path;
}

suite("modelbench inspect judges as told", { concurrency: 2 }, () => {
  for (const hostile of corpus().filter(({ group }) => group !== "tag")) {
    test(`${hostile.id}: ${hostile.title}`, async () => {
      const folder = join(kit.folder, hostile.id);
      if (hostile.group === "yaml") plantModel(folder, hostile);
      assertJudged(hostile, await inspector.inspect(subjectOf(hostile, folder), hostile.seconds));
    });
  }
});

function plantModel(folder: string, { file = "" }: HostileCase): void {
  mkdirSync(folder, { recursive: true });
  cpSync(resolve("test/fixtures/hostile", file), join(folder, "model.yaml"));
  writeFileSync(join(folder, "saved_model.onnx"), addModel());
}
