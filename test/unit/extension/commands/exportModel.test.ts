import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { exportModel } from "../../../../src/extension/commands/exportModel";
import { type TreeNode, versionNode } from "../../../../src/extension/tree/treeModel";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { type ExportRequest, exportModelJob, previewArchiveJob } from "../../../../src/store/archive/archiveJobs";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
let home: string;
let out: string;
beforeEach(() => {
  folder = tempFolder();
  home = join(folder.path, "home");
  out = join(folder.path, "out");
  mkdirSync(out);
  plant(home, "a", "v1");
  plant(home, "a", "v2");
});
afterEach(() => folder.remove());

const v1 = { store: "own", tag: "a:v1" };
/** The only thing in the folder that was exported to. */
const made = (): string => readdirSync(out).join(", ");
const preview = (path: string) => inProcessJobs().run(previewArchiveJob, { home, source: path });

test("every format is offered with its price, and what is chosen is written", async () => {
  const formats = [
    ["BentoML model", "bentomodel", "tar.xz"],
    ["BentoML model, small", "bentomodel", "tar.xz"],
    ["Tar archive", "tar", "tar"],
    ["Tar archive, gzip", "tar.gz", "tar.gz"],
    ["Tar archive, xz", "tar.xz", "tar.xz"],
    ["Tar archive, bzip2", "tar.bz2", "tar.bz2"],
    ["Zip archive", "zip", "zip"],
  ] as const;
  for (const [index, [label, ending, format]] of formats.entries()) {
    const target = join(out, `m${index}.${ending}`);
    const { services: parts, lines } = services(home, { target, pick: () => label });
    await exportModel(parts, v1);
    assert.match(lines[0] ?? "", /^pick: Export a:v1 as \[BentoML model, .*, Folder\]$/);
    assert.deepEqual(lines.slice(1, 3), [`target: a-v1.${ending}`, "progress: Exporting a:v1"]);
    assert.match(lines[3] ?? "", /^offer: a:v1 exported to .* \(.*\)\. \[Reveal in File Manager, Copy Path\]$/);
    const { format: found, tag } = await preview(target);
    assert.deepEqual([found, tag], [format, "a:v1"]);
  }
});

test("the name that was typed decides the format, and gets an ending when it has none", async () => {
  const typed = services(home, { target: join(out, "m.TGZ"), pick: () => "Zip archive" });
  await exportModel(typed.services, v1);
  assert.equal((await preview(join(out, "m.TGZ"))).format, "tar.gz");
  const bare = services(home, { target: join(out, "v1.2"), pick: () => "Zip archive" });
  await exportModel(bare.services, v1);
  assert.equal((await preview(join(out, "v1.2.zip"))).format, "zip");
});

test("a file that the dialog was told to replace is replaced only by a whole one", async () => {
  const target = join(out, "m.tar");
  writeFileSync(target, "old");
  const failing = {
    "archive.export": ({ destination = "" }: ExportRequest) => {
      writeFileSync(destination, "half");
      throw new ModelbenchError("store.access", "The disk is full.");
    },
  };
  const full = services(home, { target, pick: () => "Tar archive", jobs: failing });
  await assert.rejects(exportModel(full.services, v1), { message: "The disk is full." });
  assert.equal(readFileSync(target, "utf8"), "old");
  assert.equal(made(), "m.tar");
  const { services: parts } = services(home, { target, pick: () => "Tar archive" });
  await exportModel(parts, v1);
  assert.equal((await preview(target)).tag, "a:v1");
  assert.equal(made(), "m.tar");
});

test("a name that got its ending here is not replaced without a question", async () => {
  writeFileSync(join(out, "m.zip"), "old");
  const { services: parts, lines } = services(home, { target: join(out, "m"), pick: () => "Zip archive" });
  await exportModel(parts, v1);
  assert.match(lines.at(-1) ?? "", /^confirm: Replace m\.zip\? \[Replace\]/);
  assert.equal(readFileSync(join(out, "m.zip"), "utf8"), "old");
});

test("a selection goes into a folder, a file each, after one question about those that are there", async () => {
  const { services: parts, lines } = services(home, {
    folder: out,
    pick: () => "Tar archive",
    confirm: true,
    offered: "Copy Path",
  });
  const snapshot = await parts.catalog.ready("own");
  const models = snapshot?.names.get("a")?.models ?? [];
  const nodes: TreeNode[] = models.map((summary) => versionNode("own", summary));
  writeFileSync(join(out, "a-v1.tar"), "old");
  await exportModel(parts, nodes[0], nodes);
  assert.equal(lines[0]?.startsWith("pick: Export 2 models as"), true);
  assert.match(lines[2] ?? "", /^confirm: Replace a-v1\.tar\? \[Replace\]/);
  assert.equal(made(), "a-v1.tar, a-v2.tar");
  assert.equal((await preview(join(out, "a-v1.tar"))).tag, "a:v1");
  assert.match(lines.at(-2) ?? "", /^offer: 2 of 2 models exported to .*\/out \(/);
  assert.equal(lines.at(-1), `copy: ${out}`);
});

test("a folder is made under the model's name, and one that is there is left alone", async () => {
  const { services: parts } = services(home, { folder: out, pick: () => "Folder" });
  await exportModel(parts, v1);
  assert.equal(readFileSync(join(out, "a-v1/weights.bin"), "utf8"), "weights of a:v1");
  const again = services(home, { folder: out, pick: () => "Folder", confirm: true });
  await assert.rejects(exportModel(again.services, v1), { code: "file.access" });
});

test("one that fails keeps no other from being exported", async () => {
  const jobs = {
    [exportModelJob.name]: ({ tag, destination = "" }: ExportRequest) => {
      if (tag === "a:v1") throw new ModelbenchError("model.changed", "a:v1 is not what was saved.");
      return { tag, path: destination, bytes: 1 };
    },
  };
  const { services: parts } = services(home, { folder: out, pick: () => "Tar archive", jobs });
  const models = (await parts.catalog.ready("own"))?.names.get("a")?.models ?? [];
  const nodes = models.map((summary) => versionNode("own", summary));
  await assert.rejects(exportModel(parts, nodes[0], nodes), {
    code: "model.changed",
    message: "1 of 2 models were not exported: a:v1 is not what was saved.",
  });
});

test("without a row an export asks which model, and every dismissed prompt is a quiet no-op", async () => {
  const { services: parts, lines } = services(home);
  await exportModel(parts);
  await exportModel(parts, v1);
  assert.equal(lines[0], "pick: Export which model? [a:v1, a:v2]");
  const noTarget = services(home, { pick: () => "Tar archive" });
  await exportModel(noTarget.services, v1);
  assert.ok(!existsSync(join(out, "a-v1.tar")));
  assert.equal(noTarget.lines.at(-1), "target: a-v1.tar");
});
