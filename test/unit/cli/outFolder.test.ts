import assert from "node:assert/strict";
import fs, { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeOutFolder } from "../../../src/cli/outFolder";
import { tempFolder } from "../store/storeKit";

test("a folder that another run makes at the same moment is used, and a file there is not", (t) => {
  const folder = tempFolder();
  t.after(() => folder.remove());
  const make = mkdirSync;
  t.mock.method(fs, "mkdirSync", (path: string) => {
    // The other one is always a moment earlier.
    if (path.endsWith("file")) writeFileSync(path, "");
    else make(path);
    make(path);
  });
  makeOutFolder(join(folder.path, "results/one"));
  assert.ok(existsSync(join(folder.path, "results/one")));
  assert.throws(() => makeOutFolder(join(folder.path, "results/file")), { code: "file.access" });
});
