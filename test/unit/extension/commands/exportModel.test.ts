import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { exportModel } from "../../../../src/extension/commands/exportModel";
import type { ExportRequest } from "../../../../src/store/archive/archiveJobs";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  plant(folder.path, "a", "v1");
});
afterEach(() => folder.remove());

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
