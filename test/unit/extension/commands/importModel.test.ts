import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { importModel } from "../../../../src/extension/commands/importModel";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { exportModelJob, type ImportRequest } from "../../../../src/store/archive/archiveJobs";
import { emptyTrashJob, listTrashJob } from "../../../../src/store/trashJobs";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
let home: string;
beforeEach(() => {
  folder = tempFolder();
  home = join(folder.path, "home");
});
afterEach(() => folder.remove());

/** A real archive of a model that another store has. */
async function archive(tag: string, file: string): Promise<string> {
  const other = join(folder.path, "other");
  const [name = "", version = ""] = tag.split(":");
  plant(other, name, version);
  writeFileSync(join(other, "models", name, version, "weights.bin"), `imported ${tag}`);
  const destination = join(folder.path, file);
  await inProcessJobs().run(exportModelJob, { home: other, tag, destination });
  return destination;
}

const weights = (tag: string): string =>
  readFileSync(join(home, "models", tag.replace(":", "/"), "weights.bin"), "utf8");
const isThere = (tag: string): boolean => existsSync(join(home, "models", tag.replace(":", "/")));

test("one fine archive is shown before anything is written, and Enter brings it in", async () => {
  const files = [await archive("iris:v2", "x.bentomodel")];
  const dismissed = services(home, { files });
  await importModel(dismissed.services);
  assert.ok(!isThere("iris:v2"));
  const { services: parts, lines } = services(home, { files, review: "accept" });
  await importModel(parts);
  assert.deepEqual(lines.slice(0, 2), ["progress: Looking into x.bentomodel", lines[1]]);
  assert.match(lines[1] ?? "", /^review: Import 1 model \(\d+ B\)$/);
  assert.match(lines[2] ?? "", /^\[x\] iris:v2 \(files · \d+ B · 2 files\) \{x\.bentomodel\}$/);
  assert.deepEqual(lines.slice(3, 5), ["progress: Importing iris:v2", "reveal: iris:v2"]);
  assert.match(lines[5] ?? "", /^offer: iris:v2 imported \(\d+ B\)\. \[Open, Undo\]$/);
  assert.equal(weights("iris:v2"), "imported iris:v2");
});

test("what cannot be imported is listed with its reason and cannot be ticked", async () => {
  const bad = join(folder.path, "bad.tar");
  writeFileSync(bad, "no archive at all");
  const files = [bad, await archive("iris:v2", "x.tar")];
  const { services: parts, lines } = services(home, { files, review: (labels) => labels });
  await importModel(parts);
  const refusal = lines.find((line) => line.startsWith("[-] bad.tar")) ?? "";
  assert.match(refusal, /This is no archive/);
  assert.ok(!refusal.includes(folder.path), `the file is named already: ${refusal}`);
  assert.ok(isThere("iris:v2"));
});

test("when none can be imported the user reads why and no list opens", async () => {
  const bad = join(folder.path, "bad.tar");
  writeFileSync(bad, "no archive at all");
  const { services: parts, lines } = services(home, { files: [bad] });
  await assert.rejects(importModel(parts), { code: "archive.format" });
  assert.deepEqual(lines, ["progress: Looking into bad.tar"]);
});

test("models that are there already are asked about once, and replaced ones come back with Undo", async () => {
  plant(home, "iris", "v1");
  plant(home, "iris", "v2");
  const files = [
    await archive("iris:v1", "1.tar"),
    await archive("iris:v2", "2.tar"),
    await archive("new:v1", "3.tar"),
  ];
  const answers = { files, review: "accept", pick: () => "Replace", offered: "Undo" } as const;
  const { services: parts, lines } = services(home, answers);
  await importModel(parts);
  const picks = lines.filter((line) => line.startsWith("pick:"));
  assert.deepEqual(picks, [
    "pick: 2 of these models are in the store already [Skip, Replace, New Version, Choose for Each…]",
  ]);
  assert.match(lines.find((line) => line.startsWith("[x] iris:v1")) ?? "", /in the store already\}$/);
  assert.deepEqual([weights("iris:v1"), weights("iris:v2")], ["weights of iris:v1", "weights of iris:v2"]);
  assert.ok(!isThere("new:v1"));
});

test("a button beside a line decides for that line, and only the others are asked about", async () => {
  plant(home, "iris", "v1");
  plant(home, "iris", "v2");
  const files = [await archive("iris:v1", "1.tar"), await archive("iris:v2", "2.tar")];
  const { services: parts, lines } = services(home, {
    files,
    review: (labels, press) => {
      press("iris:v1", "replace");
      return labels;
    },
    pick: () => "New Version",
  });
  await importModel(parts);
  assert.ok(lines.some((line) => /in the store already: Replace, what is there goes to the trash\}$/.test(line)));
  assert.ok(lines.includes("pick: iris:v2 is in the store already [Skip, Replace, New Version]"));
  assert.deepEqual([weights("iris:v1"), weights("iris:v2")], ["imported iris:v1", "weights of iris:v2"]);
  const snapshot = await parts.catalog.ready("own");
  assert.equal(snapshot?.names.get("iris")?.models.length, 3);
});

test("each can be chosen for alone, with the keyboard too", async () => {
  plant(home, "iris", "v1");
  plant(home, "iris", "v2");
  const files = [await archive("iris:v1", "1.tar"), await archive("iris:v2", "2.tar")];
  const pick = (title: string): string =>
    title.startsWith("2 of") ? "Choose for Each…" : title.startsWith("iris:v1") ? "Skip" : "Replace";
  const { services: parts, lines } = services(home, { files, review: "accept", pick });
  await importModel(parts);
  assert.deepEqual([weights("iris:v1"), weights("iris:v2")], ["weights of iris:v1", "imported iris:v2"]);
  assert.match(lines.at(-1) ?? "", /^offer: iris:v2 imported \(.*\); the one it replaces is in the trash\./);
});

test("two archives of one tag are a conflict too, though the store has neither", async () => {
  const files = [await archive("iris:v1", "1.tar"), await archive("iris:v1", "2.tar.gz")];
  const { services: parts, lines } = services(home, { files, review: "accept", pick: () => "New Version" });
  await importModel(parts);
  assert.equal(lines.filter((line) => line.startsWith("[x] iris:v1")).filter((line) => /already/.test(line)).length, 1);
  const snapshot = await parts.catalog.ready("own");
  assert.equal(snapshot?.names.get("iris")?.models.length, 2);
});

test("skipping all that is there says that nothing was imported", async () => {
  plant(home, "iris", "v1");
  const files = [await archive("iris:v1", "1.tar")];
  const { services: parts, lines } = services(home, { files, review: "accept", pick: () => "Skip" });
  await importModel(parts);
  assert.equal(lines.at(-1), "inform: Nothing was imported: what the store has is kept.");
});

test("Undo moves what came in to the trash", async () => {
  const files = [await archive("iris:v1", "1.tar"), await archive("iris:v2", "2.tar")];
  const { services: parts, lines } = services(home, { files, review: "accept", offered: "Undo" });
  await importModel(parts);
  assert.match(lines.find((line) => line.startsWith("offer:")) ?? "", /^offer: 2 models imported \(/);
  assert.ok(!isThere("iris:v1") && !isThere("iris:v2"));
  assert.equal(existsSync(join(home, "models/iris")), false);
});

test("Undo brings back what its own import replaced, though another one replaced that meanwhile", async () => {
  plant(home, "iris", "v1");
  const first = await archive("iris:v1", "1.tar");
  const answers = { files: [first], review: "accept", pick: () => "Replace" } as const;
  const { services: parts } = services(home, answers);
  const offer = async <A extends string>(_: string, actions: readonly A[]): Promise<A | undefined> => {
    await importModel(services(home, answers).services);
    return actions.find((action) => action === "Undo");
  };
  await importModel({ ...parts, ui: { ...parts.ui, offer } });
  assert.equal(weights("iris:v1"), "weights of iris:v1");
});

test("Undo moves nothing when what was replaced is gone from the trash", async () => {
  plant(home, "iris", "v1");
  const files = [await archive("iris:v1", "1.tar")];
  const { services: parts } = services(home, { files, review: "accept", pick: () => "Replace" });
  const offer = async <A extends string>(_: string, actions: readonly A[]): Promise<A | undefined> => {
    await parts.jobs.run(emptyTrashJob, { home });
    return actions.find((action) => action === "Undo");
  };
  await assert.rejects(importModel({ ...parts, ui: { ...parts.ui, offer } }), { code: "trash.notFound" });
  assert.equal(weights("iris:v1"), "imported iris:v1");
});

test("what replaced another counts as imported, also when the trash cannot be read, and Undo moves nothing then", async () => {
  plant(home, "iris", "v1");
  const files = [await archive("iris:v1", "1.tar")];
  const { services: parts, lines } = services(home, {
    files,
    review: "accept",
    pick: () => "Replace",
    offered: "Undo",
  });
  const run: typeof parts.jobs.run = (key, input, options) =>
    key.name === listTrashJob.name
      ? Promise.reject(new ModelbenchError("store.access", "The trash cannot be read."))
      : parts.jobs.run(key, input, options);
  const jobs = { ...parts.jobs, run };
  await assert.rejects(importModel({ ...parts, jobs }), { code: "store.access" });
  assert.match(lines.find((line) => line.startsWith("offer:")) ?? "", /^offer: iris:v1 imported/);
  assert.equal(weights("iris:v1"), "imported iris:v1");
});

test("a folder comes in like an archive, chosen by its model.yaml or dropped whole", async () => {
  const other = join(folder.path, "other");
  const first = plant(other, "iris", "v1");
  const second = plant(other, "iris", "v2");
  const chosen = services(home, { review: "accept" });
  await importModel(chosen.services, { fsPath: join(first, "model.yaml") });
  assert.equal(weights("iris:v1"), "weights of iris:v1");
  const dropped = services(home, { review: "accept" });
  await importModel(dropped.services, { files: [second], store: "own" });
  assert.equal(weights("iris:v2"), "weights of iris:v2");
});

test("one that fails while it is imported keeps no other out, and the failure names it", async () => {
  const files = [await archive("iris:v1", "1.tar"), await archive("iris:v2", "2.tar")];
  const jobs = {
    "archive.import": ({ source }: ImportRequest) => {
      if (source.endsWith("1.tar")) throw new ModelbenchError("archive.corrupt", `${source} is cut short.`);
      return { tag: "iris:v2", action: "imported", from: source, bytes: 1 };
    },
  };
  const { services: parts, lines } = services(home, { files, review: "accept", jobs });
  await assert.rejects(importModel(parts), (error: ModelbenchError) => {
    assert.match(error.message, /^1 of 2 models were not imported: .*1\.tar is cut short\./);
    return true;
  });
  assert.ok(lines.includes("reveal: iris:v2"));
});

test("cancelling ends the whole import and says what had come in before", async () => {
  const files = [await archive("a:v1", "1.tar"), await archive("b:v1", "2.tar"), await archive("c:v1", "3.tar")];
  const seen: string[] = [];
  const jobs = {
    "archive.import": ({ source }: ImportRequest) => {
      seen.push(source);
      if (seen.length === 3) throw new ModelbenchError("cancelled", "Cancelled.");
      return { tag: `${seen.length === 1 ? "a" : "b"}:v1`, action: "imported", from: source, bytes: 1 };
    },
  };
  const { services: parts, lines } = services(home, { files, review: "accept", jobs });
  await importModel(parts);
  assert.equal(lines.at(-1), "offer: 2 models were imported before it was cancelled. [Open, Undo]");
});

test("a dismissed open dialog, and an empty list, are quiet no-ops", async () => {
  const { services: parts, lines } = services(home);
  await importModel(parts);
  assert.deepEqual(lines, []);
  const files = [await archive("a:v1", "1.tar")];
  const none = services(home, { files, review: () => [] });
  await importModel(none.services);
  assert.ok(!none.lines.some((line) => line.startsWith("progress: Importing")));
});
