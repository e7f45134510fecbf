import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { SmallDiskReport } from "../../fixtures/smallDiskProcess";
import { prepareWorld, STORE_CHANGES, type World } from "../../fixtures/storeChanges";
import { bundleChangeProcess } from "../../fixtures/straced";
import { missing } from "../../optional";
import { tempFolder } from "./storeKit";

const BIG_BYTES = 2_500_000;
/** Room beside what is there, in KiB: none, a bit, nearly the model, four MiB. */
const ROOMS = [0, 64, Math.floor(BIG_BYTES / 1024) - 4, 4096];
const skip = missing("userNamespaces");

const temp = tempFolder();
let world: World;
let bundle: string;
before(async () => {
  world = await prepareWorld(temp.path, BIG_BYTES);
  bundle = await bundleChangeProcess(temp.path, "smallDiskProcess");
});
after(temp.remove);

for (const change of Object.keys(STORE_CHANGES)) {
  for (const room of ROOMS) {
    test(`${change} with ${room} KiB left on the disk is made or refused, with nothing half done`, { skip }, () => {
      const report = onDisk(change, `mount -t tmpfs -o size=${64 + room}k tmpfs "$DISK" && cp -a $PARTS "$DISK"`);
      assertWholeOrAsBefore(change, report);
      if (report.failure) assert.match(report.failure.message, /space|free/i);
    });
  }
}

test("a store on a disk that is read-only lists, and every change is refused in words", { skip }, () => {
  for (const change of Object.keys(STORE_CHANGES).filter((name) => name !== "export")) {
    const readOnly = `mount -t tmpfs tmpfs "$DISK" && cp -a $PARTS "$DISK" && mount -o remount,ro "$DISK"`;
    const report = onDisk(change, readOnly);
    assert.equal(report.failure?.code, "store.access", change);
    assert.match(report.failure?.message ?? "", /read-only/, change);
    assertWholeOrAsBefore(change, report);
  }
});

test("a limit on the size of files fails a save as a full disk does", { skip }, () => {
  for (const change of ["save", "import", "replace"]) {
    const limited = `mount -t tmpfs tmpfs "$DISK" && cp -a $PARTS "$DISK" && ulimit -f 1000`;
    const report = onDisk(change, limited);
    assert.equal(report.failure?.code, "store.access", change);
    assertWholeOrAsBefore(change, report);
  }
});

/** Makes the change on a disk of its own. @param mount shell words that put the folders in $PARTS onto $DISK */
function onDisk(change: string, mount: string): SmallDiskReport {
  const disk = join(temp.path, "disk");
  const home = join(disk, STORE_CHANGES[change]?.home ?? "home");
  // Only what the change needs: the smallest disk has room for one store.
  const parts = ["exports", STORE_CHANGES[change]?.home === "damaged" ? "damaged" : "home"];
  const env = { ...process.env, DISK: disk, PARTS: parts.map((part) => join(world.before, part)).join(" ") };
  const run = `mkdir -p "$DISK" && ${mount} && exec "$@"`;
  const places = [home, join(disk, "exports"), world.sources, world.archives];
  const command = ["--user", "--map-root-user", "--mount", "sh", "-c", run, "sh", process.execPath, bundle, change];
  const { status, stdout, stderr } = spawnSync("unshare", [...command, ...places], {
    env,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  assert.equal(status, 0, `${change}: ${stderr}`);
  return JSON.parse(stdout) as SmallDiskReport;
}

function assertWholeOrAsBefore(change: string, report: SmallDiskReport): void {
  const { versions, trash, home } = STORE_CHANGES[change] ?? assert.fail(change);
  const was = { home: ["v1"], fresh: [], damaged: ["v1", "v7"] }[home ?? "home"];
  assert.equal(report.broken, 0);
  assert.deepEqual(report.staged, []);
  const listed = Object.keys(report.models);
  if (report.failure) {
    assert.deepEqual(listed, was, report.failure.message);
    assert.deepEqual(report.exported, []);
    assert.deepEqual(report.trash, home === undefined ? ["v0"] : [], report.failure.message);
  } else {
    assert.deepEqual(listed, versions);
    assert.deepEqual([...new Set(report.trash)].sort(), trash);
    assert.deepEqual(report.exported, change === "export" ? ["m.bentomodel"] : []);
  }
  for (const [version, files] of Object.entries(report.models)) {
    const forms = world.wholes[version] ?? [];
    assert.ok(
      forms.some((form) => JSON.stringify(form) === JSON.stringify(files)),
      `${version} is not whole`,
    );
  }
}
