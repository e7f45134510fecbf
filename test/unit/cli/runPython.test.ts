import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { type CliKit, openCliKit } from "../../fixtures/cliKit";
import { addModel } from "../../fixtures/onnxParts";

let kit: CliKit;
let onnx: string;
/** Started, it leaves a file behind. */
let python: string;
let canary: string;
before(async () => {
  kit = await openCliKit();
  onnx = join(kit.folder, "add.onnx");
  writeFileSync(onnx, addModel());
  canary = join(kit.folder, "started");
  python = interpreter("venv", "cloudpickle-3.1.2", "joblib-1.6.0");
});
after(() => kit.dispose());
beforeEach(() => {
  rmSync(kit.home, { recursive: true, force: true });
  rmSync(canary, { force: true });
});

function interpreter(name: string, ...packages: string[]): string {
  const site = join(kit.folder, name, "lib/python3.11/site-packages");
  for (const one of packages) mkdirSync(join(site, `${one}.dist-info`), { recursive: true });
  mkdirSync(join(kit.folder, name, "bin"));
  const path = join(kit.folder, name, "bin/python3.11");
  writeFileSync(path, `#!/bin/sh\ntouch '${canary}'\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A pickle that calls `os.system`. */
const DANGEROUS = Buffer.from("cos\nsystem\n(S'true'\ntR.", "latin1");
/** A pickle of the number 1. */
const HARMLESS = Buffer.from([0x80, 4, 0x4b, 1, 0x2e]);

async function savePickle(tag: string, content: Uint8Array, module = "bentoml.picklable_model"): Promise<string> {
  const file = join(kit.folder, "model.pkl");
  writeFileSync(file, content);
  const { path } = await kit.json<{ path: string }>("save", tag, file, "--module", module);
  return path;
}

async function fails(code: number, args: readonly string[], env: Record<string, string> = {}, cwd = kit.folder) {
  const quiet = { MODELBENCH_ALLOW_CODE: "", MODELBENCH_PYTHON: "", VIRTUAL_ENV: "" };
  const failed = await kit.run(["run", ...args, "-o", "json"], { env: { ...quiet, ...env }, cwd });
  assert.equal(failed.code, code, failed.stderr);
  assert.equal(failed.stdout, "");
  const { error, warnings } = JSON.parse(failed.stderr);
  return { ...error, warnings } as {
    code: string;
    message: string;
    remedy?: string;
    warnings: { code: string; message: string }[];
  };
}

async function digestAsked(tag: string): Promise<string> {
  const { code, message, remedy } = await fails(1, [tag]);
  assert.equal(code, "trust.required");
  const [digest = ""] = /[0-9a-f]{64}/.exec(message) ?? [];
  assert.equal(remedy?.includes("--allow-code") && remedy.includes(`MODELBENCH_ALLOW_CODE=${digest}`), true, remedy);
  return digest;
}

test("code runs with consent only, and the refusal names the digest and both ways to give it", async () => {
  await savePickle("net:v1", HARMLESS);
  assert.match(await digestAsked("net:v1"), /^[0-9a-f]{64}$/);
  assert.equal((await fails(1, ["net", "--python", python])).code, "trust.required");
  assert.equal(existsSync(canary), false);
});

test("a digest in the environment allows exactly that code, whatever it is labelled or called", async () => {
  const path = await savePickle("net:v1", HARMLESS);
  const digest = await digestAsked("net:v1");
  const lacking = { MODELBENCH_PYTHON: interpreter("bare", "pip-23.2.1") };
  const isAllowed = async (tag: string, allowed: string) => {
    const { code } = await fails(1, [tag], { ...lacking, MODELBENCH_ALLOW_CODE: allowed });
    return code === "python.missing";
  };
  assert.equal(await isAllowed("net", digest), true);
  assert.equal(await isAllowed("net", ` ${"0".repeat(64)} , ${digest.toUpperCase()}`), true);
  await kit.json("edit", "net:v1", "--label", "stage=prod");
  await kit.json("copy", "net:v1", "other:v2");
  assert.equal(await isAllowed("net", digest), true);
  assert.equal(await isAllowed("other", digest), true);
  for (const wrong of [digest.slice(0, 63), "*", "1", "true", "all", ""]) {
    assert.equal(await isAllowed("net", wrong), false, wrong);
  }
  const yaml = join(path, "model.yaml");
  writeFileSync(yaml, readFileSync(yaml, "utf8").replace("partial_kwargs: {}", "partial_kwargs: {__call__: {n: 1}}"));
  assert.equal(await isAllowed("net", digest), false);
  assert.notEqual(await digestAsked("net:v1"), digest);
  assert.equal(existsSync(canary), false);
});

test("a changed byte asks again, and nothing in a workspace gives consent", async () => {
  const folder = join(kit.folder, "workspace");
  mkdirSync(join(folder, "model"), { recursive: true });
  const saved = await savePickle("net:v1", HARMLESS);
  for (const name of ["model.yaml", "saved_model.pkl"]) {
    writeFileSync(join(folder, "model", name), readFileSync(join(saved, name)));
  }
  const digest = await digestAsked(join(folder, "model"));
  assert.equal(digest, await digestAsked("net:v1"));
  writeFileSync(join(folder, ".env"), `MODELBENCH_ALLOW_CODE=${digest}\n`);
  mkdirSync(join(folder, ".vscode"));
  writeFileSync(join(folder, ".vscode/settings.json"), `{"modelbench.allowCode": ["${digest}"]}`);
  assert.equal((await fails(1, ["./model"], {}, folder)).code, "trust.required");
  const allowed = { MODELBENCH_ALLOW_CODE: digest, MODELBENCH_PYTHON: join(folder, "none/python") };
  assert.equal((await fails(1, ["./model"], allowed, folder)).code, "python.missing");
  writeFileSync(join(folder, "model/saved_model.pkl"), Buffer.from([0x80, 4, 0x4b, 2, 0x2e]));
  assert.equal((await fails(1, ["./model"], allowed, folder)).code, "trust.required");
});

test("a pickle that is known to run code is a warning, allowed or not", async () => {
  await savePickle("bad:v1", DANGEROUS);
  await savePickle("one:v1", HARMLESS);
  const missing = ["--allow-code", "--python", join(kit.folder, "none/python")];
  for (const args of [[], missing]) {
    const { warnings } = await fails(1, ["bad", ...args]);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["pickle.dangerous"],
    );
    assert.match(warnings[0]?.message ?? "", /Calls dangerous functions/);
    assert.deepEqual((await fails(1, ["one", ...args])).warnings, []);
  }
});

test("without an interpreter every place is named; one that lacks a package is named with the line that helps", async () => {
  await savePickle("net:v1", HARMLESS, "bentoml.sklearn");
  const none = await fails(1, ["net", "--allow-code"], { PATH: "", VIRTUAL_ENV: join(kit.folder, "gone") });
  assert.equal(none.code, "python.missing");
  for (const place of [
    join(kit.folder, "gone/bin/python"),
    join(kit.folder, ".venv/bin/python"),
    "python3 on the PATH",
  ]) {
    assert.ok(none.message.includes(place), none.message);
  }
  const asked = await fails(1, ["net", "--allow-code", "--python", "nowhere/python"]);
  assert.match(asked.message, /--python .*nowhere\/python/);
  const lacking = await fails(1, ["net", "--allow-code", "--python", python]);
  assert.equal(lacking.code, "python.missing");
  assert.equal(lacking.remedy, `Run: ${python} -m pip install scikit-learn`);
  const named = await fails(1, ["net", "--allow-code"], { MODELBENCH_PYTHON: python });
  assert.equal(named.message, lacking.message);
  assert.equal(existsSync(canary), false);
});

test("options that do not fit the model are refused before anything is started", async () => {
  await savePickle("net:v1", HARMLESS);
  for (const args of [
    ["--python", python],
    ["--allow-code"],
    ["--as", "list"],
    ["--dtype", "int64"],
    ["--no-init"],
    ["--python-path", "."],
  ]) {
    const { code, message } = await fails(2, [onnx, "--example", ...args]);
    const also = args[0] === "--python" ? " and for --device python:cpu, python:cuda" : "";
    assert.deepEqual([code, message], ["usage", `${args[0]} is for models that need Python${also}.`]);
  }
  for (const args of [["--no-init"], ["--init", "--no-init"], ["--as", "series"], ["--python="], ["--device", "a b"]]) {
    assert.equal((await fails(2, ["net", "--allow-code", ...args])).code, "usage", args.join(" "));
  }
  assert.equal((await fails(1, ["net", "--allow-code", "--device", "cuda:0"])).code, "device.unavailable");
  assert.equal((await fails(2, ["net", "--allow-code", "--python", python, "--dtype", "float"])).code, "usage");
  const method = await fails(1, ["net", "--allow-code", "--python", python, "--method", "predict"]);
  assert.deepEqual([method.code, method.message.includes("__call__")], ["method.notFound", true]);
  const example = await fails(1, ["net", "--allow-code", "--python", python, "--example"]);
  assert.equal(example.code, "input.notFound");
  assert.equal(existsSync(canary), false);
});

test("an ONNX model is opened with the settings and on the device asked for; what was not used is a warning", async () => {
  const elsewhere = process.platform === "darwin" ? "dml" : "coreml";
  const settings = ["--graph-optimization", "basic", "--intra-op-threads", "1", "--execution-mode=sequential"];
  const { outputs } = await kit.json<{ outputs: unknown }>("run", onnx, "--example", ...settings);
  assert.deepEqual(outputs, (await kit.json<{ outputs: unknown }>("run", onnx, "--example")).outputs);
  const auto = await kit.run(["run", onnx, "--example", "--device", "auto", "-o", "json"]);
  assert.equal(auto.code, 0, auto.stderr);
  const { device } = JSON.parse(auto.stdout);
  const warnings: { code: string }[] = auto.stderr === "" ? [] : JSON.parse(auto.stderr).warnings;
  assert.equal(device === "cpu" ? warnings.length > 0 : device !== "", true, auto.stderr);
  assert.ok(warnings.every(({ code }) => code === "device.fallback"));
  assert.equal((await fails(1, [onnx, "--example", "--device", elsewhere])).code, "device.unavailable");
  for (const args of [["--device", "gpu"], ["--intra-op-threads", "many"], ["--graph-optimization=most"]]) {
    assert.equal((await fails(2, [onnx, "--example", ...args])).code, "usage", args.join(" "));
  }
  await savePickle("net:v1", HARMLESS);
  const { message } = await fails(2, ["net", "--allow-code", "--intra-op-threads", "1"]);
  assert.equal(message, "--intra-op-threads is for ONNX models.");
});

test("--no-batch runs an ONNX model by itself, with the same answer", async () => {
  const answer = await kit.json<{ outputs: unknown; batchSize: number }>("run", onnx, "--input", "x=[[1,2,3],[4,5,6]]");
  const alone = await kit.json<{ outputs: unknown; batchSize: number }>(
    ...["run", onnx, "--input", "x=[[1,2,3],[4,5,6]]", "--no-batch"],
  );
  assert.deepEqual([alone.outputs, alone.batchSize], [answer.outputs, answer.batchSize]);
});

test("a folder for modules that is not there is refused, and a text without quotes gets its quotes named", async () => {
  await savePickle("one:v1", HARMLESS);
  const folder = await fails(2, ["one:v1", "--allow-code", "--python", python, "--python-path", "nowhere"]);
  assert.match(folder.message, /^--python-path takes a folder; .*nowhere is none\.$/);
  const text = await fails(1, ["one:v1", "--allow-code", "--python", python, "--input", "0=rose"]);
  assert.match(text.remedy ?? "", /"text" with its quotes/);
  assert.equal(existsSync(canary), false);
});

test("--help shows what models that need Python take", async () => {
  const { code, stdout } = await kit.run(["run", "--help"]);
  assert.equal(code, 0);
  for (const option of [
    "--no-batch",
    "--allow-code",
    "--python PATH",
    "--as ndarray|list|dataframe",
    "--dtype",
    "--no-init",
    "--intra-op-threads",
    "webgpu",
  ]) {
    assert.ok(stdout.includes(option), stdout);
  }
  assert.match(stdout, /MODELBENCH_ALLOW_CODE/);
  assert.doesNotMatch(stdout, /[^\x20-\x7e\n]/);
});
