import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { WireError } from "../../../src/base/errors";
import { storeAccess } from "../../../src/store/access";
import { bundleChangeProcess } from "../../fixtures/straced";
import { missing } from "../../optional";
import { plant, tempFolder } from "./storeKit";

const skip = missing("userNamespaces");
const temp = tempFolder();
const home = join(temp.path, "home");
let bundle: string;
before(async () => {
  plant(home, "a", "v1");
  mkdirSync(join(home, ".modelbench"));
  bundle = await bundleChangeProcess(temp.path, "accessProcess");
});
after(temp.remove);

/** What a process says of the store, started by `unshare` with these arguments. */
function said(...command: string[]) {
  const { status, stdout, stderr } = spawnSync("unshare", [...command, process.execPath, bundle, home], {
    encoding: "utf8",
    timeout: 30_000,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as { access: string; listed: number; deleted?: WireError };
}

test("a store on a file system that is mounted read-only lists and refuses with what to do, also to root", {
  skip,
}, () => {
  const mount = `mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"`;
  const { access, listed, deleted } = said("--user", "--map-root-user", "--mount", "sh", "-c", mount, home);
  assert.deepEqual([access, listed], ["readOnly", 1]);
  assert.equal(deleted?.code, "store.access");
  assert.match(deleted?.message ?? "", /read-only \(EROFS\)/);
  assert.match(deleted?.remedy ?? "", /choose another store/);
  assert.ok(existsSync(join(home, "models/a/v1/model.yaml")));
});

test("a store without the permission to write lists and refuses with what to do", { skip }, () => {
  // Without a user mapped, not even root may write where the mode says no.
  const folders = [home, join(home, "models"), join(home, "models/a"), join(home, ".modelbench")];
  for (const folder of folders) chmodSync(folder, 0o555);
  chmodSync(join(home, "models/a/v1"), 0o755);
  try {
    const { access, listed, deleted } = said("--user");
    assert.deepEqual([access, listed], ["readOnly", 1]);
    assert.equal(deleted?.code, "store.access");
    assert.match(deleted?.message ?? "", /permission denied \(EACCES\)/);
    assert.match(deleted?.remedy ?? "", /permissions, or choose another store/);
  } finally {
    for (const folder of folders) chmodSync(folder, 0o755);
  }
});

test("a store is writable, not there yet, or a file in whose place nothing can be written", async () => {
  assert.equal(await storeAccess(home), "writable");
  assert.equal(await storeAccess(join(temp.path, "none")), "missing");
  const file = join(temp.path, "file");
  writeFileSync(file, "");
  assert.equal(await storeAccess(file), "readOnly");
  assert.equal(await storeAccess(join(file, "below")), "readOnly");
});
