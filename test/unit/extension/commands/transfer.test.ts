import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { exportModel } from "../../../../src/extension/commands/exportModel";
import { importModel } from "../../../../src/extension/commands/importModel";
import type { ExportRequest, ImportRequest, ImportResult } from "../../../../src/store/archive/archiveJobs";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  plant(folder.path, "a", "v1");
});
afterEach(() => folder.remove());

/** A jobs process whose archives are named after what they hold; `taken*` is in the store already. */
function archives(seen: string[]) {
  return {
    "archive.import": ({ source, onConflict }: ImportRequest): ImportResult => {
      seen.push(`${source} ${onConflict}`);
      if (source.includes("bad")) throw new ModelbenchError("archive.corrupt", `${source} is cut short.`);
      if (source.includes("taken") && onConflict === "fail") throw new ModelbenchError("model.exists", "there already");
      const action = onConflict === "skip" ? "skipped" : onConflict === "replace" ? "replaced" : "imported";
      return { tag: `${source.replace(/\W/g, "")}:1`, action, from: source, bytes: 1 };
    },
  };
}

test("several archives come in together, and those already there are asked about once", async () => {
  const seen: string[] = [];
  const files = ["/x", "/taken1", "/y", "/taken2"];
  const { services: parts, lines } = services(folder.path, { files, jobs: archives(seen), pick: () => "Replace" });
  await importModel(parts);
  assert.deepEqual(seen, ["/x fail", "/taken1 fail", "/y fail", "/taken2 fail", "/taken1 replace", "/taken2 replace"]);
  const picks = lines.filter((line) => line.startsWith("pick:"));
  assert.deepEqual(picks, ["pick: The models in 2 archives are in the store already [Skip, Replace, New Version]"]);
  assert.deepEqual(lines.slice(-2), ["reveal: taken2:1", "inform: 4 models imported. [Open]"]);
});

test("a dismissed conflict keeps what is there, and the others still came in", async () => {
  const seen: string[] = [];
  const { services: parts, lines } = services(folder.path, { files: ["/x", "/taken"], jobs: archives(seen) });
  await importModel(parts);
  assert.deepEqual(seen, ["/x fail", "/taken fail"]);
  assert.equal(lines.at(-1), "inform: x:1 imported. [Open]");
});

test("an archive that fails does not keep the others out, and one failure names the archive", async () => {
  const { services: parts, lines } = services(folder.path, { files: ["/bad", "/x"], jobs: archives([]) });
  await assert.rejects(importModel(parts), (error: ModelbenchError) => {
    assert.match(error.message, /^1 of 2 archives .*\/bad is cut short\./);
    return true;
  });
  assert.ok(lines.includes("reveal: x:1"));
});

test("the only archive's failure reaches the user as it is", async () => {
  const { services: parts } = services(folder.path, { files: ["/bad"], jobs: archives([]) });
  await assert.rejects(importModel(parts), { code: "archive.corrupt", message: "/bad is cut short." });
});

test("cancelling ends the whole import", async () => {
  const seen: string[] = [];
  const jobs = {
    "archive.import": ({ source }: ImportRequest) => {
      seen.push(source);
      throw new ModelbenchError("cancelled", "Cancelled.");
    },
  };
  const { services: parts } = services(folder.path, { files: ["/x", "/y"], jobs });
  await assert.rejects(importModel(parts), { code: "cancelled" });
  assert.deepEqual(seen, ["/x"]);
});

test("a dismissed open dialog is a quiet no-op", async () => {
  const { services: parts, lines } = services(folder.path);
  await importModel(parts);
  assert.deepEqual(lines, []);
});

test("the ending of the chosen file decides the format of an export", async () => {
  const seen: unknown[] = [];
  const jobs = {
    "archive.export": (input: ExportRequest) => {
      seen.push(input.format);
      return { tag: "a:v1", path: input.destination ?? "", bytes: 2048 };
    },
  };
  for (const ending of ["bentomodel", "tar", "tar.gz", "TGZ"]) {
    const { services: parts, lines } = services(folder.path, { target: `/out/m.${ending}`, jobs });
    await exportModel(parts, { store: "own", tag: "a:v1" });
    assert.equal(lines[0], "target: a-v1.bentomodel");
    assert.equal(lines.at(-1), `inform: a:v1 exported to /out/m.${ending} (2.00 KiB). [Copy Path]`);
  }
  assert.deepEqual(seen, ["bentomodel", "tar", "tar.gz", "tar.gz"]);
  const { services: parts } = services(folder.path, { target: "/out/m.zip", jobs });
  await assert.rejects(exportModel(parts, { store: "own", tag: "a:v1" }), { code: "archive.format" });
});

test("without a row an export asks which model, and a dismissed prompt is a quiet no-op", async () => {
  const { services: parts, lines } = services(folder.path);
  await exportModel(parts);
  assert.deepEqual(lines, ["pick: Export which model? [a:v1]"]);
});
