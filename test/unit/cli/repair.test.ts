import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { type CliKit, openCliKit } from "../../fixtures/cliKit";
import { addModel } from "../../fixtures/onnxParts";

let kit: CliKit;
let onnx: string;
before(async () => {
  kit = await openCliKit();
  onnx = join(kit.folder, "add.onnx");
  writeFileSync(onnx, addModel());
});
after(() => kit.dispose());
beforeEach(() => rmSync(kit.home, { recursive: true, force: true }));

const json = <T>(...args: string[]): Promise<T> => kit.json<T>(...args);

async function failure(code: number, ...args: string[]): Promise<{ code: string; message: string; remedy: string }> {
  const answer = await kit.run([...args, "-o", "json"]);
  assert.equal(answer.code, code, `${args.join(" ")}: ${answer.stderr}`);
  return (JSON.parse(answer.stderr) as { error: { code: string; message: string; remedy: string } }).error;
}

interface Report {
  readonly models: number;
  readonly problems: readonly { kind: string; tag?: string; path: string; detail: string; repaired?: boolean }[];
}

interface Trashed {
  readonly tag: string;
  readonly trash: string;
  readonly deletedMs: number;
  readonly bytes: number;
}

const save = (tag: string): Promise<unknown> => json("save", tag, onnx);
const models = (...path: string[]): string => join(kit.home, "models", ...path);

test("check --repair mends, says so for each problem, and deletes nothing", async () => {
  await save("add:v1");
  await save("add:v2");
  writeFileSync(models("add/v2/model.yaml"), "[");
  writeFileSync(models("add/latest"), "");
  mkdirSync(models("UPPER/v1"), { recursive: true });
  const kindsOf = ({ problems }: Report) => problems.map(({ kind, repaired }) => [kind, repaired]);
  const found = await json<Report>("check");
  assert.deepEqual(kindsOf(found).sort(), [
    ["latest.torn", undefined],
    ["tag.mismatch", undefined],
    ["yaml.invalid", undefined],
  ]);
  const repaired = await json<Report>("check", "--repair");
  assert.deepEqual(kindsOf(repaired).sort(), [
    ["latest.torn", true],
    ["tag.mismatch", true],
    ["yaml.invalid", true],
  ]);
  assert.deepEqual(await json<Report>("check", "--repair"), { models: 1, problems: [] });
  assert.equal(readFileSync(models("add/latest"), "utf8"), "v1");
  const trashed = await json<Trashed[]>("trash", "list");
  assert.deepEqual(trashed.map(({ tag }) => tag).sort(), ["UPPER", "add:v2"]);
  const upper = trashed.find(({ tag }) => tag === "UPPER")?.trash ?? "";
  assert.deepEqual(await json("restore", upper), [{ tag: "UPPER", trash: upper }]);
  assert.ok(existsSync(models("UPPER/v1")));
});

test("a repair in words says what it did, and what to do where it can do nothing", async () => {
  await save("add:v1");
  writeFileSync(models("add/latest"), "v9");
  writeFileSync(models("add/v1/saved_model.onnx"), "other");
  const { code, stdout } = await kit.run(["check", "--repair"]);
  assert.equal(code, 0);
  assert.match(stdout, /^file\.changed {2}add:v1 {2}\/.*saved_model\.onnx$/m);
  assert.match(stdout, /has 5 of \d+ bytes: bytes 5 to \d+ are missing\. Import the model again/);
  assert.match(stdout, /^ {2}repaired: Write the newest version into it\.$/m);
  assert.match(stdout, /^1 models, 2 problems, 1 of them repaired\.$/m);
});

test("trash list says what was deleted, when and how large it is; trash empty removes it for good", async () => {
  assert.deepEqual(await json("trash", "list"), []);
  await save("add:v1");
  await save("add:v2");
  const deleted = await json<{ tag: string; trash: string }[]>("delete", "add", "-y");
  const listed = await json<Trashed[]>("trash", "list");
  assert.deepEqual(
    listed.map(({ tag, trash }) => ({ tag, trash })),
    [...deleted].reverse(),
  );
  for (const { bytes, deletedMs } of listed) {
    assert.ok(bytes > 100 && Math.abs(Date.now() - deletedMs) < 60_000, `${bytes} ${deletedMs}`);
  }
  const { stdout } = await kit.run(["trash", "list"]);
  assert.match(stdout, /^add:v2 {2}[\d.]+ \w+ {2}deleted .* {2}\d+-add-v2$/m);
  const [first] = listed;
  assert.equal((await failure(1, "trash", "empty", "nothing", "-y")).code, "trash.notFound");
  assert.deepEqual(await json("trash", "empty", first?.trash ?? "", "-y"), [first]);
  assert.deepEqual(await json("trash", "list"), listed.slice(1));
  assert.deepEqual(await json("trash", "empty", "-y"), listed.slice(1));
  assert.deepEqual(await json("trash", "list"), []);
  assert.equal((await failure(1, "restore", "add:v1")).code, "trash.notFound");
});

test("trash is a usage error without a word it knows, and empties nothing unasked", async () => {
  for (const args of [["trash"], ["trash", "away"], ["trash", "list", "more"], ["trash", "empty"]]) {
    assert.equal((await failure(2, ...args)).code, "usage", args.join(" "));
  }
});

test("what has been in the trash for longer than it is kept goes with the next save", async () => {
  await save("add:v1");
  const [deleted] = await json<{ trash: string }[]>("delete", "add:v1", "-y");
  const entry = join(kit.home, ".modelbench/trash", deleted?.trash ?? "", "entry.json");
  const record = JSON.parse(readFileSync(entry, "utf8")) as { deletedMs: number };
  const days = (count: number): number => record.deletedMs - count * 24 * 3600 * 1000;
  const isKept = async (deletedMs: number, tag: string): Promise<boolean> => {
    writeFileSync(entry, JSON.stringify({ ...record, deletedMs }));
    await save(tag);
    return existsSync(entry);
  };
  assert.equal(await isKept(days(6.9), "add:v2"), true);
  writeFileSync(join(kit.home, ".modelbench/kept.json"), JSON.stringify({ keptMs: 30 * 24 * 3600 * 1000 }));
  assert.equal(await isKept(days(29), "add:v3"), true);
  rmSync(join(kit.home, ".modelbench/kept.json"));
  assert.equal(await isKept(days(7.1), "add:v4"), false);
});

test("a model whose file is not what was saved is neither run nor exported, and runs when it was imported again", async () => {
  await save("add:v1");
  const archive = join(kit.folder, "again.bentomodel");
  await json("export", "add:v1", archive);
  const file = models("add/v1/saved_model.onnx");
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = 255 - (bytes[bytes.length >> 1] ?? 0);
  writeFileSync(file, bytes);
  for (const args of [
    ["run", "add", "--example"],
    ["export", "add", join(kit.folder, "bad.tar")],
  ]) {
    const error = await failure(1, ...args);
    assert.equal(error.code, "model.changed", error.message);
    assert.match(error.message, /saved_model\.onnx is not what was saved: bytes 0 to \d+ differ/);
    assert.match(error.remedy, /Import the model again/);
  }
  await json("import", archive, "--on-conflict", "replace");
  await json("run", "add", "--example");
  assert.deepEqual(await json("check"), { models: 1, problems: [] });
});
