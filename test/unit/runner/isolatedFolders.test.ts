import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { after, test } from "node:test";
import { isolatedFolders } from "../../../src/runner/isolatedFolders";
import type { PythonLoad } from "../../../src/runner/protocol";
import { tempFolder } from "../store/storeKit";

const { path: home, remove } = tempFolder();
const realHome = process.env["HOME"];
process.env["HOME"] = home;
after(() => {
  process.env["HOME"] = realHome;
  remove();
});

test("an interpreter among a user's own programs shows those and its own folder, and nothing else of the user's", () => {
  const base = join(home, ".local/share/uv/python/cpython-3.11");
  for (const path of [join(base, "bin"), join(home, ".local/bin"), join(home, ".local/share/keyrings")])
    mkdirSync(path, { recursive: true });
  writeFileSync(join(base, "bin/python3.11"), "");
  const interpreter = join(home, ".local/bin/python3.11");
  symlinkSync("../share/uv/python/cpython-3.11/bin/python3.11", interpreter);
  const load: PythonLoad = {
    ...{ interpreter, worker: "/worker", folder: "/model", files: [], options: "{}", preload: [] },
    paths: [home, join(home, "project")],
  };
  const { readable, refused } = isolatedFolders(load, "/private/model");
  const sees = (path: string) => [...readable.values()].some((seen) => `${path}${sep}`.startsWith(`${seen}${sep}`));
  assert.ok(sees(interpreter) && sees(join(base, "lib/python3.11")) && sees(join(home, "project/src")));
  for (const hidden of [".ssh/id_rsa", ".local/share/keyrings/login.keyring", ".local/state"])
    assert.equal(sees(join(home, hidden)), false, hidden);
  assert.deepEqual(refused, [home]);
});
