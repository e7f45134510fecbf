import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { type CliAnswer, type CliKit, openCliKit } from "../../fixtures/cliKit";
import { addModel } from "../../fixtures/onnxParts";

let kit: CliKit;
let onnx: string;
let archive: string;
before(async () => {
  kit = await openCliKit();
  onnx = join(kit.folder, "add.onnx");
  archive = join(kit.folder, "add.bentomodel");
  writeFileSync(onnx, addModel());
  await kit.run(["save", "add:v1", onnx]);
  assert.equal((await kit.run(["export", "add:v1", archive])).code, 0);
});
after(() => kit.dispose());
beforeEach(async () => {
  rmSync(kit.home, { recursive: true, force: true });
  assert.equal((await kit.run(["import", archive])).code, 0);
});

function isQuiet(answer: CliAnswer, what: string): void {
  assert.deepEqual({ code: answer.code, stderr: answer.stderr }, { code: 0, stderr: "" }, what);
}

test("with -o json every verb answers with one document, or fails with one", async () => {
  const out = join(kit.folder, "again.bentomodel");
  const verbs: { done: string[]; fails: string[]; wrong: string[] }[] = [
    { done: ["list"], fails: ["list", "NO_"], wrong: ["list", "--sort", "age"] },
    { done: ["get", "add"], fails: ["get", "none"], wrong: ["get", "add", "--no"] },
    { done: ["inspect", "add"], fails: ["inspect", "./none.onnx"], wrong: ["inspect"] },
    { done: ["save", "b:v1", onnx], fails: ["save", "add:v1", onnx], wrong: ["save", "b"] },
    { done: ["export", "add", out], fails: ["export", "none"], wrong: ["export"] },
    { done: ["import", out, "--on-conflict", "skip"], fails: ["import", "./none.tar"], wrong: ["import"] },
    { done: ["check"], fails: ["check", "none:v1"], wrong: ["check", "--fix"] },
    { done: ["run", "add", "--example"], fails: ["run", "add"], wrong: ["run", "add", "--device", "abacus"] },
    { done: ["edit", "add:v1", "--label", "a=b"], fails: ["edit", "none", "--label", "a=b"], wrong: ["edit", "add"] },
    { done: ["copy", "add:v1", "c:v1"], fails: ["copy", "add:v1", "c:v1"], wrong: ["copy", "add"] },
    { done: ["pin", "add:v1"], fails: ["pin", "none:v1"], wrong: ["pin"] },
    { done: ["unpin", "add:v1"], fails: ["unpin", "none:v1"], wrong: ["unpin"] },
    { done: ["clean", "--keep", "9", "-y"], fails: ["clean", "none", "--keep", "1", "-y"], wrong: ["clean", "-y"] },
    { done: ["delete", "add:v1", "-y"], fails: ["delete", "none:v1", "-y"], wrong: ["delete", "add:v1"] },
    { done: ["restore", "add:v1"], fails: ["restore", "none:v1"], wrong: ["restore"] },
  ];
  for (const { done, fails, wrong } of verbs) {
    const answer = await kit.run([...done, "-o", "json"]);
    isQuiet(answer, done.join(" "));
    JSON.parse(answer.stdout);
    for (const [args, code] of [
      [fails, 1],
      [wrong, 2],
    ] as const) {
      const failed = await kit.run([...args, "--output=json"]);
      const { error, warnings } = JSON.parse(failed.stderr);
      assert.equal(failed.code, code, `${args.join(" ")}: ${failed.stderr}`);
      assert.equal(error.code === "usage", code === 2, failed.stderr);
      assert.notEqual(error.code, "internal", failed.stderr);
      assert.deepEqual([typeof error.message, warnings], ["string", []]);
      if (failed.stdout !== "") assert.deepEqual(JSON.parse(failed.stdout), []);
    }
  }
});

test("options stand anywhere, before the verb too, joined or apart, until -- ends them", async () => {
  const plain = await kit.run(["get", "add", "-o", "json"]);
  isQuiet(plain, "plain");
  const other = { env: { BENTOML_HOME: join(kit.folder, "elsewhere") } };
  for (const args of [
    ["get", "--home", kit.home, "-ojson", "add"],
    ["--home", kit.home, "get", "add", "-o", "json"],
    [`--home=${kit.home}`, "-o", "json", "get", "add"],
    ["get", `--home=${kit.home}`, "--output", "json", "--", "add"],
    ["get", "add", "-o", "yaml", "-o", "json", "--home", kit.home],
  ]) {
    assert.deepEqual(await kit.run(args, other), plain, args.join(" "));
  }
  const yaml = await kit.run(["get", "add", "-o", "json", "-o", "yaml"]);
  assert.match(yaml.stdout, /^name: add$/m);
  const ended = await kit.run(["get", "--", "-o"]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /^error: .*-o/);
});

test("a command line without a verb, or with an empty home, is a usage error", async () => {
  for (const args of [
    ["-o", "json"],
    ["--home", kit.home, "-o", "json"],
    ["list", "--home=", "-o", "json"],
    ["--no-such", "-o", "json"],
  ]) {
    const { code, stderr } = await kit.run(args);
    assert.deepEqual([code, JSON.parse(stderr).error.code], [2, "usage"], args.join(" "));
  }
  const help = await kit.run([]);
  isQuiet(help, "no words at all");
  assert.match(help.stdout, /^modelbench: /);
});

test("--tag and --file force what an operand means", async () => {
  const plain = join(kit.folder, "plain");
  writeFileSync(plain, addModel());
  assert.equal(JSON.parse((await kit.run(["inspect", "--tag", "add", "-o", "json"])).stdout).kind, "model");
  assert.equal(JSON.parse((await kit.run(["inspect", "--file", plain, "-o", "json"])).stdout).kind, "file");
  for (const args of [
    ["inspect", "--tag", "./add.onnx"],
    ["inspect", "--tag", "add.onnx"],
  ]) {
    const { code, stderr } = await kit.run([...args, "-o", "json"]);
    assert.equal(code, 1);
    assert.match(JSON.parse(stderr).error.code, /^(tag\.invalid|model\.notFound)$/, args.join(" "));
  }
  assert.equal((await kit.run(["inspect", "add", "--tag", "add"])).code, 2);
});

test("get answers for the tag that the file names, says so, and prints NaN as BentoML does", async () => {
  const yaml = join(kit.home, "models/add/v1/model.yaml");
  writeFileSync(
    yaml,
    readFileSync(yaml, "utf8").replace("name: add", "name: other").replace("metadata: {}", "metadata:\n  loss: .nan"),
  );
  const { code, stdout, stderr } = await kit.run(["get", "add:v1", "-o", "json"]);
  assert.equal(code, 0);
  assert.match(stdout, /"name": "other"/);
  assert.match(stdout, /"loss": NaN/);
  const { warnings, ...rest } = JSON.parse(stderr);
  assert.deepEqual([rest, warnings.map((warning: { code: string }) => warning.code)], [{}, ["tag.mismatch"]]);
  assert.match((await kit.run(["get", "add:v1"])).stderr, /^warning: /);
});

test("output that cannot be written is a failure in words", { skip: !existsSync("/dev/full") }, async () => {
  for (const args of [
    ["list", "-o", "json"],
    ["get", "add"],
  ]) {
    const child = spawn(process.execPath, [kit.entry, ...args], {
      env: { ...process.env, BENTOML_HOME: kit.home },
      stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
    });
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const code = await new Promise((settle) => child.once("close", settle));
    assert.equal(code, 1);
    assert.match(stderr, /The output cannot be written: ENOSPC/);
    assert.doesNotMatch(stderr, /\n\s+at /, "a stack trace");
  }
});

test("a reader that takes the first line only ends a long output quietly", async () => {
  const yaml = join(kit.home, "models/add/v1/model.yaml");
  const long = `metadata:\n  long:\n${"  - some text that is long enough to fill a pipe\n".repeat(15_000)}`;
  writeFileSync(yaml, readFileSync(yaml, "utf8").replace("metadata: {}\n", long));
  const command = `"${process.execPath}" "${kit.entry}" get add -o json | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const child = spawn("bash", ["-c", command], { env: { ...process.env, BENTOML_HOME: kit.home } });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  await new Promise((settle) => child.once("close", settle));
  assert.deepEqual([stdout, stderr], ["{\n0\n", ""]);
});

test("progress is drawn on a terminal only", async () => {
  const big = join(kit.folder, "folder");
  mkdirSync(big, { recursive: true });
  const copy = await kit.run(["export", "add:v1", big]);
  isQuiet(copy, "export");
  assert.doesNotMatch(copy.stdout, /[\r\u001b]|%/);
});
