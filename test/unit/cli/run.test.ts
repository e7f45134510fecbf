import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bufferReader } from "../../../src/formats/bufferReader";
import { readNpy } from "../../../src/formats/npy";
import { tensorToNested } from "../../../src/formats/tensorJson";
import { type CliKit, openCliKit } from "../../fixtures/cliKit";
import { addModel, floats, tensorFields } from "../../fixtures/onnxParts";
import { type Graph, onnxModel } from "../runner/onnxModel";
import { isAlive, linear, runnersOf, slow, until } from "../runner/runnerKit";

let kit: CliKit;
before(async () => {
  kit = await openCliKit();
});
after(() => kit.dispose());

function write(name: string, bytes: Uint8Array): string {
  const path = join(kit.folder, name);
  writeFileSync(path, bytes);
  return path;
}

const answer = (...args: string[]) =>
  kit.json<{ outputs: Record<string, { data?: unknown; file?: string }> }>("run", ...args);

async function failure(code: number, args: readonly string[], stdin?: string | Uint8Array) {
  const failed = await kit.run(["run", ...args, "-o", "json"], stdin === undefined ? {} : { stdin });
  assert.equal(failed.code, code, failed.stderr);
  return JSON.parse(failed.stderr).error as { code: string; message: string; remedy?: string };
}

/** Two inputs of which one name begins like the other, and outputs whose names are no file names. */
const oddNames: Graph = {
  inputs: [
    { name: "a", dtype: "float32", shape: [2] },
    { name: "a=b", dtype: "float32", shape: [2] },
  ],
  outputs: ["../y", ".._y", "1-__y", "2-__Y", "o".repeat(300)].map((name) => ({ name, dtype: "float32", shape: [2] })),
  nodes: [
    { op: "Add", inputs: ["a", "a=b"], outputs: ["../y"] },
    { op: "Sub", inputs: ["a", "a=b"], outputs: [".._y"] },
    { op: "Mul", inputs: ["a", "a=b"], outputs: ["1-__y"] },
    { op: "Neg", inputs: ["a"], outputs: ["2-__Y"] },
    { op: "Neg", inputs: ["a=b"], outputs: ["o".repeat(300)] },
  ],
};

test("of the names that fit an --input the longest declared one counts", async () => {
  const file = write("odd.onnx", onnxModel(oddNames));
  const { outputs } = await answer(file, "--input", "a=b=[3,4]", "--input", "a=[1,2]");
  assert.deepEqual(outputs[".._y"]?.data, [-2, -2]);
  assert.equal((await failure(1, [file, "--input", "a==[1,2]", "--input", "a=b=[1,2]"])).code, "input.notFound");
  assert.equal((await failure(2, [file, "--input", "[1,2]"])).code, "usage");
});

test("what cannot become a folder for outputs is refused before the model runs", async () => {
  const taken = write("taken.txt", Buffer.from("mine"));
  for (const out of [taken, join(taken, "below")]) {
    const { code, message } = await failure(2, [
      write("a.onnx", onnxModel(linear)),
      "--input",
      "nonsense",
      "--out",
      out,
    ]);
    assert.equal(code, "usage");
    assert.ok(message.includes(`${taken} is none`), message);
  }
  assert.equal(readFileSync(taken, "utf8"), "mine");
});

test("a folder that cannot be made below /proc is said to be that", {
  skip: process.platform !== "linux",
}, async () => {
  const file = write("b.onnx", onnxModel(oddNames));
  const args = [file, "--input=a=b=[3,4]", "--input=a=[1,2]", "--out", "/proc/nope/deeper"];
  assert.equal((await failure(1, args)).code, "file.access");
});

test("every output gets a file of its own, whatever the model calls it", async () => {
  const file = write("odd.onnx", onnxModel(oddNames));
  const folder = join(kit.folder, "odd");
  const { outputs } = await answer(file, "--input=a=b=[3,4]", "--input=a=[1,2]", "--out", folder);
  const files = Object.values(outputs).map(({ file: path }) => path ?? "");
  assert.equal(new Set(files.map((path) => path.toLowerCase())).size, 5);
  assert.equal(readdirSync(folder).length, 5);
  const values = files.map((path) => tensorToNested(readNpy(bufferReader(readFileSync(path)))));
  assert.deepEqual(values, [
    [4, 6],
    [-2, -2],
    [3, 8],
    [-1, -2],
    [-3, -4],
  ]);
});

test("an input may be a TensorProto; its own name does not matter", async () => {
  const file = write("add.onnx", addModel());
  const tensor = write("in.pb", tensorFields({ name: "zz", type: 1, dims: [1, 3], raw: floats(1, 2, 3) }));
  assert.deepEqual((await answer(file, "--input", `x=${tensor}`)).outputs["y"]?.data, [[2, 4, 6]]);
  const cut = write("cut.pb", tensorFields({ name: "zz", type: 1, dims: [1, 3], raw: floats(1, 2) }));
  const error = await failure(1, [file, "--input", `x=${cut}`]);
  assert.equal(error.code, "format.corrupt");
  assert.match(error.message, /`x`.*cut\.pb/);
});

test("JSON on the command line may be longer than a file's name", async () => {
  const model = write("add.onnx", addModel());
  const rows = Array.from({ length: 40 }, (_, i) => [i, 0.25, -1e-7]);
  assert.ok(JSON.stringify(rows).length > 255);
  const { outputs } = await answer(model, "--input", `x=${JSON.stringify(rows)}`);
  const data = outputs["y"]?.data;
  assert.ok(Array.isArray(data));
  assert.equal(data.length, 40);
});

test("standard input fills one input", async () => {
  const file = write("odd.onnx", onnxModel(oddNames));
  const twice = await failure(2, [file, "--input", "a=-", "--input", "a=b=-"], "[1,2]");
  assert.match(twice.message, /one --input only/);
  const latin1 = await failure(
    1,
    [file, "--input", "a=-", "--input", "a=b=[1,1]"],
    Buffer.from('["\u00e9"]', "latin1"),
  );
  assert.deepEqual([latin1.code, latin1.message], ["format.corrupt", "Standard input is no UTF-8 text, as JSON is."]);
  const { code, stdout } = await kit.run(["run", file, "--input", "a=-", "--input", "a=b=[1,1]", "-o", "json"], {
    stdin: "[5,6]",
  });
  assert.deepEqual([code, JSON.parse(stdout).outputs[".._y"].data], [0, [4, 5]]);
});

test("outputs that are too many to print are refused with the way out, and written as a file", async () => {
  const graph: Graph = {
    inputs: [{ name: "n", dtype: "int64", shape: [1] }],
    outputs: [{ name: "y", dtype: "float32", shape: ["K"] }],
    nodes: [{ op: "ConstantOfShape", inputs: ["n"], outputs: ["y"] }],
  };
  const file = write("many.onnx", onnxModel(graph));
  const error = await failure(1, [file, "--input", "n=[9000000]"]);
  assert.equal(error.code, "budget.exceeded");
  assert.match(error.remedy ?? "", /--out DIR/);
  const folder = join(kit.folder, "many");
  assert.ok((await answer(file, "--input", "n=[9000000]", "--out", folder)).outputs["y"]?.file);
  rmSync(folder, { recursive: true });
});

test("the only method runs under whatever name model.yaml gives it, and is named when another is asked for", async () => {
  const file = write("linear.onnx", onnxModel(linear));
  assert.equal((await kit.run(["save", "named:v1", file, "--signature", 'predict={"batchable": true}'])).code, 0);
  const yaml = join(kit.home, "models/named/v1/model.yaml");
  const text = readFileSync(yaml, "utf8");
  assert.match(text, /\n {2}predict:\n/);
  const both = await failure(1, ["named", "--input", "x=[[1,0]]"]);
  assert.deepEqual([both.code, /__call__.*run, predict/.test(both.message)], ["method.notFound", true]);
  assert.deepEqual((await answer("named", "--method", "predict", "--input", "x=[[1,0]]")).outputs["y"]?.data, [
    [0, 1, 2],
  ]);
  writeFileSync(yaml, text.replace(/\n {2}run:\n( {4}.*\n)+/, "\n"));
  assert.deepEqual((await answer("named", "--input", "x=[[1,0]]")).outputs["y"]?.data, [[0, 1, 2]]);
});

test("Ctrl+C while a run waits for standard input ends it with 130", async () => {
  const file = write("linear.onnx", onnxModel(linear));
  const child = spawn(process.execPath, [kit.entry, "run", file, "--input", "x=-", "-o", "json"]);
  const ended = new Promise((settle) => child.once("close", settle));
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  // It has read this much when it is asked for more.
  await new Promise<void>((resolve) => child.stdin.write(`${" ".repeat(2_000_000)}[[1,`, () => resolve()));
  child.kill("SIGINT");
  assert.equal(await ended, 130);
  assert.equal(JSON.parse(stderr).error.code, "cancelled");
});

test("an interrupted run ends with 130 and leaves no process", async () => {
  const file = write("slow.onnx", onnxModel(slow));
  const child = spawn(process.execPath, [kit.entry, "run", file, "--input", "n=100000000"], { stdio: "ignore" });
  const ended = new Promise((settle) => child.once("close", settle));
  const host = child.pid ?? 0;
  await until(() => runnersOf(host).length > 0, "a runner was started");
  const runners = runnersOf(host);
  await new Promise((wake) => setTimeout(wake, 300));
  child.kill("SIGINT");
  assert.equal(await ended, 130);
  await until(() => !runners.some(isAlive), "the runner is gone");
});
