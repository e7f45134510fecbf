import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type AskedCode, Consents } from "../../../../src/extension/python/consent";
import { MachineMark } from "../../../../src/extension/python/machineMark";
import { tempFolder } from "../../store/storeKit";
import { fakeConsents, MapMemory } from "../fakePython";

const { path: root, remove } = tempFolder();
after(remove);

const code: AskedCode = {
  digest: "aa",
  tag: "iris:v1",
  name: "iris",
  isSavedHere: true,
  isIsolated: false,
  workspace: "file:///work",
};

test("exactly the code that was allowed may run, whatever it is called, until that is taken back", async () => {
  const consents = fakeConsents();
  let told = 0;
  consents.onDidChange(() => told++);
  assert.equal(consents.isAllowed(code), undefined);
  await consents.allow(code);
  assert.equal(consents.isAllowed(code), "digest");
  assert.equal(consents.isAllowed({ ...code, tag: "other:v9", name: "other", isSavedHere: false }), "digest");
  assert.equal(consents.isAllowed({ ...code, digest: "ab" }), undefined);
  assert.deepEqual(consents.all, [
    { kind: "digest", digest: "aa", tag: "iris:v1", isIsolated: false, atMs: Date.UTC(2026, 10, 20) },
  ]);
  await consents.allow(code);
  assert.equal(consents.all.length, 1);
  await consents.revokeFor(code);
  assert.deepEqual([consents.isAllowed(code), consents.all, told], [undefined, [], 3]);
});

test("a name stands for what is saved here under it from the same workspace, and for nothing else", async () => {
  const consents = fakeConsents();
  await consents.allow(code, true);
  const next = { ...code, digest: "bb", tag: "iris:v2" };
  assert.equal(consents.isAllowed(next), "name");
  for (const other of [
    { isSavedHere: false },
    { name: "iris2" },
    { workspace: "file:///elsewhere" },
    { workspace: "" },
  ])
    assert.equal(consents.isAllowed({ ...next, ...other }), undefined, JSON.stringify(other));
  await consents.revoke(consents.all);
  assert.equal(consents.isAllowed(code), undefined);
});

test("what was allowed to run apart may not run where it cannot be kept apart; the other way round it may", async () => {
  const consents = fakeConsents();
  await consents.allow({ ...code, isIsolated: true });
  assert.equal(consents.isAllowed({ ...code, isIsolated: true }), "digest");
  assert.equal(consents.isAllowed(code), undefined);
  await consents.allow(code);
  assert.deepEqual([consents.isAllowed(code), consents.isAllowed({ ...code, isIsolated: true })], ["digest", "digest"]);
  assert.equal(consents.all.length, 1);
});

test("for what was not saved here a name cannot be allowed: only this code is", async () => {
  const consents = fakeConsents();
  await consents.allow({ ...code, isSavedHere: false }, true);
  assert.deepEqual(
    consents.all.map(({ kind }) => kind),
    ["digest"],
  );
});

test("what another machine allowed, or somebody made up, does not count, and is gone with the next consent", async () => {
  const memory = new MapMemory();
  await fakeConsents(memory, "there").allow(code);
  const here = fakeConsents(memory);
  assert.deepEqual([here.isAllowed(code), here.all], [undefined, []]);
  await here.allow({ ...code, digest: "cc" });
  assert.deepEqual(
    fakeConsents(memory).all.map((consent) => consent.kind === "digest" && consent.digest),
    ["cc"],
  );
  const [kept] = memory.values.values();
  for (const wrong of [
    7,
    "x",
    null,
    { ...Object(kept), schema: 9 },
    { ...Object(kept), allowed: [{ kind: "all" }, null] },
  ]) {
    memory.values.set("modelbench.allowedCode", wrong);
    assert.deepEqual(fakeConsents(memory).all, [], JSON.stringify(wrong));
  }
});

test("a machine's mark is made once, and its copy is another one's", async () => {
  const folder = join(root, "here");
  const mark = new MachineMark(folder);
  assert.deepEqual([mark.read(), existsSync(folder)], [undefined, false]);
  const made = mark.make();
  assert.deepEqual([mark.read(), mark.make(), new MachineMark(folder).read()], [made, made, made]);
  const copy = join(root, "copy");
  mkdirSync(copy);
  copyFileSync(join(folder, "machine"), join(copy, "machine"));
  assert.notEqual(new MachineMark(copy).read(), made);
  const memory = new MapMemory();
  const consents = new Consents(memory, mark);
  await consents.allow(code);
  assert.equal(new Consents(memory, new MachineMark(folder)).isAllowed(code), "digest");
  assert.equal(new Consents(memory, new MachineMark(copy)).isAllowed(code), undefined);
  rmSync(join(folder, "machine"));
  assert.equal(new Consents(memory, mark).isAllowed(code), undefined);
});
