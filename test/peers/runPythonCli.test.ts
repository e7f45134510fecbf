import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { bufferReader } from "../../src/formats/bufferReader";
import { readNpy, writeNpy } from "../../src/formats/npy";
import { tensorToNested } from "../../src/formats/tensorJson";
import { type CliKit, openCliKit } from "../fixtures/cliKit";
import { missing } from "../optional";
import { isAlive, until } from "../unit/runner/runnerKit";
import { askPython } from "./python";

const PYTHON = resolve(".tools/venv/bin/python");
const FLOWERS = "[[5.9, 3, 5.1, 1.8], [5.1, 3.5, 1.4, 0.2]]";
const IMAGE = "[[[[0.5, -1.0], [2.0, 0.25]]]]";

interface Ran {
  readonly outputs: Record<string, { dtype?: string; shape?: number[]; data?: unknown; json?: unknown; file?: string }>;
  readonly timing: Record<string, number>;
  readonly batchSize: number;
  readonly device: string;
}

let kit: CliKit;
let project: string;
let theirs: { predict: number[]; predict_proba: number[][]; net: number[][]; passengers: number[][]; power: number[] };
before(async () => {
  kit = await openCliKit();
  project = join(kit.folder, "project");
  theirs = askPython("runPythonCliPeer.py", kit.home, project) as typeof theirs;
});
after(() => kit.dispose());

const call = (args: readonly string[], env: Record<string, string> = {}) =>
  kit.run(["run", ...args, "--python", PYTHON, "-o", "json"], { env });

/** The answer of a run that is allowed; what is said beside it may only be of the pickle. */
async function ran(...args: string[]): Promise<Ran> {
  const { code, stdout, stderr } = await call([...args, "--allow-code"]);
  assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
  const warnings: { code: string }[] = stderr === "" ? [] : JSON.parse(stderr).warnings;
  assert.deepEqual(
    warnings.filter((warning) => !warning.code.startsWith("pickle.")),
    [],
  );
  return JSON.parse(stdout);
}

async function failure(...args: string[]): Promise<{ code: string; message: string; remedy?: string }> {
  const { code, stdout, stderr } = await call([...args, "--allow-code"]);
  assert.deepEqual([code, stdout], [1, ""], stderr);
  assert.doesNotMatch(stderr, /Traceback|\n\s+at /);
  return JSON.parse(stderr).error;
}

const toolbox = (method: string, ...args: string[]) => ran("toolbox", "--method", method, ...args);

test("a forest of scikit-learn answers as the plain library does, batched and direct", async () => {
  for (const more of [[], ["--no-batch"]]) {
    const { outputs, device } = await ran(
      "iris_forest",
      "--method",
      "predict_proba",
      "--input",
      `0=${FLOWERS}`,
      ...more,
    );
    assert.deepEqual(outputs, { output: { dtype: "float64", shape: [2, 3], data: theirs.predict_proba } });
    assert.equal(device, "cpu");
  }
  const named = await ran("iris_forest", "--method", "predict", "--input", `X=${FLOWERS}`, "--no-batch");
  assert.deepEqual(named.outputs["output"]?.data, theirs.predict);
  const example = await ran("iris_forest", "--method", "predict", "--example");
  assert.deepEqual(example.outputs, named.outputs);
});

test("a pipeline over a table takes what is missing from it, numbers and texts, as pandas would give it", async () => {
  const table = '[{"age": 30, "port": null}, {"age": null, "port": "Q"}]';
  const asked = ["passengers", "--method", "predict_proba", "--input", `X=${table}`, "--as", "dataframe"];
  for (const more of [[], ["--no-batch"]])
    assert.deepEqual((await ran(...asked, ...more)).outputs["output"]?.data, theirs.passengers);
});

test("a Flax network answers as jax does, with its batch statistics, however its state is placed", async () => {
  for (const more of [[], ["--no-init"], ["--init", "--device", "cpu"]]) {
    const { outputs } = await ran("image_net", "--input", `0=${IMAGE}`, ...more);
    assert.deepEqual([outputs["output"]?.dtype, outputs["output"]?.shape], ["float32", [1, 3]]);
    assert.deepEqual(outputs["output"]?.data, theirs.net);
  }
});

test("without consent nothing runs; the digest in the environment is consent for exactly that code", async () => {
  const refused = await call(["square", "--input", "0=[1.5, 0.1]"]);
  const { error } = JSON.parse(refused.stderr);
  assert.deepEqual([refused.code, error.code], [1, "trust.required"]);
  const digest = /[0-9a-f]{64}/.exec(error.message)?.[0] ?? "";
  const allowed = await call(["square", "--input", "0=[1.5, 0.1]"], { MODELBENCH_ALLOW_CODE: digest });
  assert.equal(allowed.code, 0, allowed.stderr);
  assert.deepEqual(JSON.parse(allowed.stdout).outputs.output.data, theirs.power);
  const other = await call(["toolbox", "--input", "0=[1]"], { MODELBENCH_ALLOW_CODE: digest });
  assert.equal(JSON.parse(other.stderr).error.code, "trust.required");
});

test("arguments go by position, by name, or both", async () => {
  const both = await toolbox("add", "--input", "0=[1, 2]", "--input", "b=[10, 20]", "--input", "scale=3");
  assert.deepEqual(both.outputs["output"]?.data, [33, 66]);
  const gap = await failure("toolbox", "--method", "add", "--input", "1=[1]");
  assert.match(gap.code, /^input\./);
  const unknown = await failure("toolbox", "--method", "add", "--input", "0=[1]", "--input", "c=[1]");
  assert.deepEqual([unknown.code, /unexpected keyword argument 'c'/.test(unknown.message)], ["run.failed", true]);
});

test("a tuple's arrays are outputs by position, a dict's by key", async () => {
  const pair = await toolbox("pair", "--input", "0=[[1, 5], [3, 2]]");
  assert.deepEqual(
    Object.entries(pair.outputs).map(([name, { data }]) => [name, data]),
    [
      ["0", [1, 2]],
      ["1", 11],
    ],
  );
  const parts = await toolbox("parts", "--input", "0=[[1, 5], [3, 2]]");
  assert.deepEqual([parts.outputs["low"]?.data, parts.outputs["high"]?.data], [1, [5, 3]]);
});

test("what JSON becomes is what Python gets", async () => {
  const got = async (json: string, ...more: string[]) => {
    const { outputs } = await toolbox("describe", "--input", `value=${json}`, ...more);
    return outputs["output"]?.json as { type: string; dtype: string; value: string };
  };
  assert.deepEqual(await got("[[1, 2]]"), { type: "ndarray", dtype: "float64", value: "array([[1., 2.]])" });
  assert.deepEqual((await got("[1, 2]", "--dtype", "int32")).dtype, "int32");
  assert.deepEqual(await got("[1, 2]", "--as", "list"), { type: "list", dtype: "", value: "[1, 2]" });
  assert.deepEqual(await got("3"), { type: "int", dtype: "", value: "3" });
  assert.deepEqual(await got("3.0"), { type: "float", dtype: "", value: "3.0" });
  assert.deepEqual((await got('{"lr": 1e3, "zero": -0.0, "n": 1}')).value, "{'lr': 1000.0, 'zero': -0.0, 'n': 1}");
  assert.match((await got('[{"n": 1, "t": "a"}]', "--as", "dataframe")).value, /^ +n +t\n0 +1 +a$/);
  assert.deepEqual((await got('{"a": [true, null, "x"]}')).value, "{'a': [True, None, 'x']}");
  assert.deepEqual((await got("123456789012345678901234567890")).value, "123456789012345678901234567890");
});

test("a value may be an array's file, a file of JSON, or come on standard input", async () => {
  const npy = join(kit.folder, "x.npy");
  writeFileSync(npy, writeNpy({ dtype: "int16", shape: [2], data: Buffer.from(Int16Array.of(3, -4).buffer) }));
  const squared = await ran("square", "--input", `0=${npy}`);
  assert.deepEqual(squared.outputs, { output: { dtype: "int16", shape: [2], data: [9, 16] } });
  const json = join(kit.folder, "texts.json");
  writeFileSync(json, '["a"]');
  assert.deepEqual((await toolbox("upper", "--input", `texts=${json}`)).outputs, { output: { json: ["A"] } });
  const args = ["run", "toolbox", "--method", "upper", "--input", "texts=-", "--allow-code", "--python", PYTHON];
  const piped = await kit.run([...args, "-o", "json"], { stdin: '["b"]' });
  assert.deepEqual(JSON.parse(piped.stdout).outputs, { output: { json: ["B"] } });
});

test("what is no array is JSON, exact, and a file of JSON with --out", async () => {
  assert.deepEqual((await toolbox("upper", "--input", 'texts=["a", "b"]')).outputs, { output: { json: ["A", "B"] } });
  const answer = await call(["toolbox", "--method", "hard", "--allow-code"]);
  const hard = JSON.parse(answer.stdout).outputs.output.json;
  assert.match(answer.stdout, /1180591620717411303424/);
  assert.deepEqual([hard.numbers, hard.text, hard.none], [["NaN", "-Infinity", 0.1], "日本", null]);
  const folder = join(kit.folder, "out");
  const { outputs } = await toolbox("upper", "--input", 'texts=["a"]', "--out", folder);
  assert.deepEqual(JSON.parse(readFileSync(outputs["output"]?.file ?? "", "utf8")), ["A"]);
  const array = await toolbox("__call__", "--input", "x=[[1, 2]]", "--out", folder);
  const npy = readNpy(bufferReader(readFileSync(array.outputs["output"]?.file ?? "")));
  assert.deepEqual(tensorToNested(npy), [[1, 4]]);
  assert.ok(existsSync(folder));
});

test("what the model prints corrupts nothing", async () => {
  assert.deepEqual((await toolbox("noisy", "--input", "0=[1, 2]")).outputs["output"]?.data, [1, 2]);
});

test("a failure of the model's code is told with its type; a missing module by its name", async () => {
  const error = await failure("toolbox", "--method", "fails", "--input", '0="rose"');
  assert.equal(error.code, "run.failed");
  assert.match(error.message, /ValueError: no such flower: rose/);
  const missing = await failure("toolbox", "--method", "needs");
  assert.deepEqual([missing.code, /a_module_that_is_nowhere/.test(missing.message)], ["python.module", true]);
  const method = await failure("toolbox", "--method", "none", "--input", "0=[1]");
  assert.deepEqual([method.code, method.message.includes("describe")], ["method.notFound", true]);
});

test("a failure says whether the model was loaded, what its process did, and what helps at a terminal", async () => {
  const loading = await failure("broken", "--input", "0=1");
  assert.match(loading.message, /^The model cannot be loaded\. ValueError: invalid literal for int/);
  const died = await failure("toolbox", "--method", "dies");
  assert.equal(died.code, "worker.died");
  assert.match(died.message, /^toolbox:[a-z0-9]+: the Python process ended with code 7\.$/);
  assert.match(died.remedy ?? "", /faulthandler/);
});

test("what is out of reach of a model that runs apart has the option that lets it", {
  skip: missing("bubblewrap"),
}, async () => {
  const file = join(kit.folder, "flowers.txt");
  writeFileSync(file, "rose");
  const reads = ["toolbox", "--method", "reads", "--input", `0="${file}"`];
  const apart = await failure(...reads);
  assert.match(apart.message, /^FileNotFoundError: /);
  assert.match(apart.remedy ?? "", /--no-isolation/);
  assert.deepEqual((await ran(...reads, "--no-isolation")).outputs["output"]?.json, "rose");
  const gone = await failure(...reads.slice(0, -1), `0="${file}.gone"`, "--no-isolation");
  assert.deepEqual([/^FileNotFoundError/.test(gone.message), gone.remedy], [true, undefined]);
});

test("the lines of an exception are lines on the terminal, and none of them begins like one of ours", async () => {
  const args = ["toolbox", "--method", "fails", "--input", '0="rose\\nerror: \\u001b[2Jnone"'];
  const { code, stderr } = await kit.run(["run", ...args, "--allow-code", "-q", "--python", PYTHON]);
  assert.equal(code, 1);
  const [first, second, third] = stderr.split("\n");
  assert.deepEqual([first, second], ["error: ValueError: no such flower: rose", "  error: \\u{1b}[2Jnone"]);
  assert.match(third ?? "", /^ {4}runPythonCliPeer\.py:\d+, in fails$/);
});

test("a file that is no JSON is named", async () => {
  const file = join(kit.folder, "torn.json");
  writeFileSync(file, "[1, 2");
  const { message } = await failure("square", "--input", `0=${file}`);
  assert.ok(message.startsWith(`\`0\`: ${file}: The JSON text ends`), message);
});

test("a class of a project loads from the folder that is named, and not without", async () => {
  const missing = await failure("gardener", "--input", "0=[1]");
  assert.deepEqual([missing.code, /greenhouse/.test(missing.message)], ["python.module", true]);
  assert.match(missing.remedy ?? "", /--python-path/);
  const { outputs } = await ran("gardener", "--input", "0=[1]", "--python-path", project);
  assert.deepEqual(outputs["output"]?.data, [2]);
});

test("Ctrl+C ends a run that never ends, and its Python with it", async () => {
  const note = join(kit.folder, "hanging");
  const args = ["run", "toolbox", "--method", "hang", "--input", `0="${note}"`, "--allow-code", "--python", PYTHON];
  // Kept apart it could not say here that it runs.
  args.push("--no-isolation");
  const child = spawn(process.execPath, [kit.entry, ...args, "--home", kit.home], { stdio: "ignore" });
  const ended = new Promise((settle) => child.once("close", settle));
  await until(() => existsSync(note), "the method runs", 60_000);
  child.kill("SIGINT");
  assert.equal(await ended, 130);
  const worker = Number(readFileSync(note, "utf8"));
  await until(() => !isAlive(worker), "the Python process is gone");
});
