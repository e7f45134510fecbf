import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { checkModel, checkStore, repairModel } from "../../../../src/extension/commands/checkStore";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { saveModelJob } from "../../../../src/store/saveModelJob";
import { draftOf, plant, sourcesIn, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
let home: string;
beforeEach(() => {
  folder = tempFolder();
  home = join(folder.path, "home");
  plant(home, "a", "v1");
  writeFileSync(join(home, "models/a/latest"), "v1");
});
afterEach(() => folder.remove());

/** A model saved here, so that its digests are known, whose file is gone. */
async function withoutFile(): Promise<void> {
  const files = sourcesIn(join(folder.path, "sources"), { "w.bin": "weights" });
  const { metadata, options, ...draft } = draftOf("b", "v1");
  await inProcessJobs().run(saveModelJob, { home, draft, metadataYaml: "{}\n", optionsYaml: "{}\n", files });
  unlinkSync(join(home, "models/b/v1/w.bin"));
}

test("a healthy store is told to be one, with how much was looked at", async () => {
  const { services: parts, lines } = services(home);
  await checkStore(parts);
  assert.deepEqual(lines, ["progress: Checking My Store", "inform: No problems found in My Store: 1 version checked."]);
});

test("problems are listed, what can be repaired is ticked, and repaired on Enter", async () => {
  writeFileSync(join(home, "models/a/latest"), "gone");
  await withoutFile();
  const { services: parts, lines } = services(home, { review: "accept" });
  await checkStore(parts);
  assert.equal(lines[1], "review: 2 problems with My Store · repair 1");
  assert.ok(
    lines.some((line) =>
      /^\[x\] a \(latest names what is not there\) \{names '.*→ Write the newest version/.test(line),
    ),
  );
  assert.ok(
    lines.some((line) => /^\[-\] b:v1 \(a file is missing\)/.test(line)),
    lines.join("\n"),
  );
  assert.equal(lines.at(-1), "inform: 1 problem repaired. What a repair moves away is in the trash.");
  assert.equal(readFileSync(join(home, "models/a/latest"), "utf8"), "v1");
});

test("checking a model looks at that one only", async () => {
  writeFileSync(join(home, "models/a/latest"), "gone");
  plant(home, "c", "v1");
  const { services: parts, lines } = services(home);
  await checkModel(parts, { store: "own", tag: "c:v1" });
  assert.deepEqual(lines, ["progress: Checking c:v1", "inform: No problems found with c:v1."]);
});

test("repairing a broken row asks once, in words of what would be done", async () => {
  mkdirSync(join(home, "models/a/torn"));
  writeFileSync(join(home, "models/a/torn/model.yaml"), "name: [");
  const dismissed = services(home);
  const snapshot = await dismissed.services.catalog.ready("own");
  const item = snapshot?.names.get("a")?.broken[0];
  assert.ok(item);
  const node = { kind: "broken", store: "own", item } as const;
  await repairModel(dismissed.services, node);
  assert.ok(existsSync(join(home, "models/a/torn")));
  const { services: parts, lines } = services(home, { confirm: true });
  await repairModel(parts, node, [node]);
  assert.match(
    lines[1] ?? "",
    /^confirm: Repair a:torn\? \[Move to Trash\] .*line 1, column .* \| → Move it to the trash\./,
  );
  assert.ok(!existsSync(join(home, "models/a/torn")));
});

test("what nothing can repair is shown with the way to help oneself", async () => {
  await withoutFile();
  const { services: parts, lines } = services(home, { confirm: true });
  await repairModel(parts, { store: "own", tag: "b:v1" });
  assert.equal(lines[1], "review: 1 problem with b:v1");
  assert.match(lines[2] ?? "", /^\[-\] b:v1 \(a file is missing\) \{.*Import the model again/);
});
