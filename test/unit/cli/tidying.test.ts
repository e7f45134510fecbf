import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { type CliKit, openCliKit } from "../../fixtures/cliKit";
import { plant } from "../store/storeKit";

let kit: CliKit;
before(async () => {
  kit = await openCliKit();
});
after(() => kit.dispose());
beforeEach(() => {
  rmSync(kit.home, { recursive: true, force: true });
  for (const [version, month] of [
    ["v1", "01"],
    ["v2", "02"],
    ["v3", "03"],
  ] as const) {
    plant(kit.home, "m", version, `2024-${month}-01T00:00:00+00:00`);
  }
  writeFileSync(join(kit.home, "models/m/latest"), "v3");
});

const json = (...args: string[]): Promise<unknown> => kit.json(...args);

async function refusal(...args: string[]): Promise<[number | null, string]> {
  const { code, stderr } = await kit.run([...args, "-o", "json"]);
  return [code, (JSON.parse(stderr) as { error: { code: string } }).error.code];
}

const yaml = (version: string) => readFileSync(join(kit.home, "models/m", version, "model.yaml"), "utf8");

test("edit changes labels, metadata, signatures, release and notes, answers with the tag, and with none for no change", async () => {
  const before = yaml("v1");
  const words = ["edit", "m:v1", "--label", "owner=Team A", "--label=stage=dev", "--metadata", "acc=0.5"];
  const more = ["--signature", 'run={"batchable": true}', "--release", "July", "--notes", "one\ntwo"];
  assert.deepEqual(await json(...words, ...more), [{ tag: "m:v1" }]);
  const filled = before
    .replace("labels: {}", "labels:\n  owner: Team A\n  stage: dev\n  release: July")
    .replace("metadata: {}", "metadata:\n  acc: 0.5\n  notes: 'one\n\n    two'")
    .replace("signatures: {}", "signatures:\n  run:\n    batchable: true\n    batch_dim:\n    - 0\n    - 0");
  assert.equal(yaml("v1"), filled);
  assert.deepEqual(await json(...words, ...more), []);
  const without = ["--unlabel", "owner", "--unlabel=stage", "--unmetadata", "acc", "--unsignature", "run"];
  await json("edit", "m:v1", ...without, "--unlabel", "release", "--unmetadata", "notes");
  assert.equal(yaml("v1"), before);
  assert.deepEqual(await json("edit", "m", "--label", "a=b"), [{ tag: "m:v3" }]);
});

test("edit refuses what it cannot read, and changes nothing", async () => {
  const before = yaml("v1");
  assert.deepEqual(await refusal("edit", "m:v1"), [2, "usage"]);
  assert.deepEqual(await refusal("edit", "m:v1", "--label", "nothing"), [2, "usage"]);
  assert.deepEqual(await refusal("edit", "m:v1", "--metadata", "k=text"), [2, "usage"]);
  assert.deepEqual(await refusal("edit", "m:v1", "--metadata", "k=null"), [1, "yaml.invalid"]);
  assert.deepEqual(await refusal("edit", "m:v1", "--signature", "run=[]"), [2, "usage"]);
  assert.deepEqual(await refusal("edit", "m:v9", "--label", "a=b"), [1, "model.notFound"]);
  assert.equal(yaml("v1"), before);
});

test("editors in several processes lose none of their labels", async () => {
  const keys = ["a", "b", "c", "d", "e"];
  await Promise.all(keys.map((key) => json("edit", "m:v1", "--label", `${key}=1`)));
  for (const key of keys) assert.match(yaml("v1"), new RegExp(`^  ${key}: '1'$`, "m"));
});

test("a version that a bento uses is not deleted, nor is what is named beside it", async () => {
  mkdirSync(join(kit.home, "bentos/svc/s1"), { recursive: true });
  writeFileSync(join(kit.home, "bentos/svc/s1/bento.yaml"), "services:\n- models:\n  - tag: m:v2\n");
  assert.deepEqual(await refusal("delete", "m:v1,m:v2", "-y"), [1, "model.inUse"]);
  assert.deepEqual(await refusal("delete", "m", "--assume-yes"), [1, "model.inUse"]);
  assert.equal(((await json("list")) as unknown[]).length, 3);
  assert.equal(((await json("delete", "m:v1, m:v3", "--yes")) as unknown[]).length, 2);
});

test("copy answers with the new tag and its path, into another store too", async () => {
  const path = join(kit.home, "models/m/prod");
  assert.deepEqual(await json("copy", "m:v1", "m:prod"), [{ tag: "m:prod", path }]);
  assert.equal(readFileSync(join(path, "weights.bin"), "utf8"), "weights of m:v1");
  const other = join(kit.folder, "other");
  await json("copy", "m:v1", "n:v1", "--to-home", other);
  const { stdout } = await kit.run(["list", "--home", other, "-o", "json"]);
  assert.deepEqual(
    JSON.parse(stdout).map(({ tag }: { tag: string }) => tag),
    ["n:v1"],
  );
  assert.deepEqual(await refusal("copy", "m:v1", "m:v2"), [1, "model.exists"]);
});

test("clean takes old versions to the trash, but not pinned ones, used ones or the latest", async () => {
  plant(kit.home, "m", "v0", "2023-01-01T00:00:00+00:00");
  assert.deepEqual(await json("pin", "m:v1"), [{ tag: "m:v1" }]);
  mkdirSync(join(kit.home, "bentos/svc/s1"), { recursive: true });
  writeFileSync(join(kit.home, "bentos/svc/s1/bento.yaml"), "models:\n- tag: m:v2\n");
  const trial = (await json("clean", "--keep", "1", "--dry-run")) as { tag: string; bytes: number }[];
  assert.deepEqual(
    trial.map(({ tag }) => tag),
    ["m:v0"],
  );
  assert.ok((trial[0]?.bytes ?? 0) > 0);
  assert.match((await kit.run(["clean", "m", "--keep=1", "--dry-run"])).stdout, /^m:v0 .*\n1 versions would be/);
  const cleaned = (await json("clean", "--keep", "1", "-y")) as { tag: string; trash: string }[];
  assert.equal(cleaned[0]?.tag, "m:v0");
  assert.deepEqual(await json("restore", cleaned[0]?.trash ?? ""), cleaned);
  assert.deepEqual(await json("unpin", "m:v1"), [{ tag: "m:v1" }]);
  const tags = (rows: unknown) => (rows as { tag: string }[]).map(({ tag }) => tag);
  assert.deepEqual(tags(await json("clean", "m", "--keep", "0", "--older-than", "30d", "-y")), ["m:v0", "m:v1"]);
  assert.deepEqual(await json("clean", "--older-than", "99y", "-y"), []);
});

test("clean needs a rule that can be read, and somebody to ask", async () => {
  for (const args of [
    ["-y"],
    ["--keep", "x", "-y"],
    ["--keep", "-1", "-y"],
    ["--older-than", "soon", "-y"],
    ["--keep", "1"],
  ]) {
    assert.deepEqual(await refusal("clean", ...args), [2, "usage"], args.join(" "));
  }
  assert.deepEqual(await refusal("clean", "none", "--keep", "1", "-y"), [1, "model.notFound"]);
});

test("list --filter takes the language of the filter box, several hold together", async () => {
  await json("edit", "m:v2", "--label", "owner=Team A", "--label", "stage=dev");
  const found = async (...args: string[]) => ((await json("list", ...args)) as { tag: string }[]).map(({ tag }) => tag);
  assert.deepEqual(await found("--filter", "stage=dev"), ["m:v2"]);
  assert.deepEqual(await found("--filter", 'owner="Team A" age>1d'), ["m:v2"]);
  assert.deepEqual(await found("--filter", "stage=dev", "--filter", "v3"), []);
  assert.deepEqual(await found("--filter", "v3"), ["m:v3"]);
  assert.deepEqual(await found("--filter", "size>1MiB"), []);
  assert.deepEqual(await refusal("list", "--filter", "age<soon"), [2, "usage"]);
});

test("-q keeps warnings away and failures not", async () => {
  mkdirSync(join(kit.home, "models/m/half"));
  assert.match((await kit.run(["list"])).stderr, /warning/);
  assert.equal((await kit.run(["list", "-q"])).stderr, "");
  assert.match((await kit.run(["get", "none", "-q"])).stderr, /^error: /);
});
