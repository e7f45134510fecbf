import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { cleanUp } from "../../../../src/extension/commands/cleanUp";
import { type TreeNode, versionNode } from "../../../../src/extension/tree/treeModel";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { pinModelJob } from "../../../../src/store/pins";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  for (const day of [1, 2, 3, 4, 5]) plant(folder.path, "a", `v${day}`, `2024-01-0${day}T00:00:00+00:00`);
  for (const day of [1, 2]) plant(folder.path, "b", `v${day}`, `2024-02-0${day}T00:00:00+00:00`);
  writeFileSync(join(folder.path, "models/a/latest"), "v5");
  writeFileSync(join(folder.path, "models/b/latest"), "v2");
});
afterEach(() => folder.remove());

const isThere = (tag: string): boolean => existsSync(join(folder.path, "models", tag.replace(":", "/")));

/** Answers of a user who keeps the newest one of any age. */
const newestOnly = (title: string): string => (title.startsWith("Keep how many") ? "The newest one" : "Any age");

test("what goes is listed with sizes and their sum, and goes to the trash together", async () => {
  const { services: parts, lines } = services(folder.path, { pick: newestOnly, review: "accept" });
  await cleanUp(parts);
  assert.match(lines[2] ?? "", /^review: Move 5 versions to the trash, [\d.]+ (B|KiB) \(3\/3\)$/);
  assert.deepEqual(
    lines.slice(3, 8).map((line) => line.split(" (")[0]),
    ["[x] a:v1", "[x] a:v2", "[x] a:v3", "[x] a:v4", "[x] b:v1"],
  );
  assert.equal(lines.at(-1), "inform: 5 versions deleted. [Undo]");
  assert.ok(isThere("a:v5") && isThere("b:v2") && !isThere("a:v4") && !isThere("b:v1"));
});

test("Undo brings all of it back", async () => {
  const { services: parts } = services(folder.path, { pick: newestOnly, review: "accept", presses: true });
  await cleanUp(parts);
  for (const tag of ["a:v1", "a:v2", "a:v3", "a:v4", "a:v5", "b:v1", "b:v2"]) assert.ok(isThere(tag), tag);
});

test("only the chosen names are tidied, and only what stays ticked goes", async () => {
  const name: TreeNode = { kind: "name", store: "own", name: "a" };
  const { services: parts, lines } = services(folder.path, {
    pick: (title) => (title.startsWith("Keep how many") ? "The 3 newest" : "Older than 30 days"),
    review: () => ["a:v2"],
  });
  await cleanUp(parts, name, [name]);
  assert.deepEqual(
    lines.filter((line) => line.startsWith("[")).map((line) => line.split(" (")[0]),
    ["[x] a:v1", "[x] a:v2"],
  );
  assert.ok(isThere("a:v1") && !isThere("a:v2") && isThere("b:v1"));
});

test("pinned versions and those that bentos use cannot be chosen, and say why they are kept", async () => {
  await inProcessJobs().run(pinModelJob, { home: folder.path, tag: { name: "a", version: "v1" }, pinned: true });
  mkdirSync(join(folder.path, "bentos/x/1"), { recursive: true });
  writeFileSync(join(folder.path, "bentos/x/1/bento.yaml"), "models:\n- tag: a:v2\n");
  const { services: parts, lines } = services(folder.path, { pick: newestOnly });
  await cleanUp(parts, { kind: "name", store: "own", name: "a" });
  const listed = lines.filter((line) => line.startsWith("[")).map((line) => line.replace(/ \(.*?\)/, ""));
  assert.deepEqual(listed, ["[x] a:v3", "[x] a:v4", "[-] a:v1 {pinned}", "[-] a:v2 {used by x:1}"]);
});

test("a number that is typed is checked, and a rule that fits nothing says so", async () => {
  const { services: parts, lines } = services(folder.path, {
    pick: (title) => (title.startsWith("Keep how many") ? "Another Number…" : "Any age"),
    input: () => ["0", "many", "99"],
  });
  await cleanUp(parts);
  assert.equal(lines.filter((line) => line === "finding: A whole number from 1 on is expected.").length, 2);
  assert.match(lines.at(-1) ?? "", /^inform: There is nothing to clean up/);
});

test("a prompt that is dismissed ends it, at every step", async () => {
  for (const answers of [
    {},
    { pick: (title: string) => (title.startsWith("Keep") ? "The newest one" : undefined) },
    { pick: newestOnly },
  ]) {
    const { services: parts } = services(folder.path, answers);
    await cleanUp(parts);
  }
  assert.ok(isThere("a:v1") && isThere("b:v1"));
});

test("a lone version stands for its name, several for themselves", async () => {
  const { services: parts, lines } = services(folder.path, { pick: newestOnly });
  const snapshot = await parts.catalog.ready("own");
  const [first, second] = (snapshot?.names.get("a")?.models ?? []).map((model) => versionNode("own", model));
  assert.ok(first && second);
  await cleanUp(parts, first, [first]);
  await cleanUp(parts, first, [first, second]);
  const listed = lines.filter((line) => line.startsWith("review:")).map((line) => line.slice(0, 24));
  assert.deepEqual(listed, ["review: Move 4 versions ", "review: Move 2 versions "]);
});
