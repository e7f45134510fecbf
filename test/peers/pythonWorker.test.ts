import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { decodeElements } from "../../src/formats/elements";
import { askPython } from "./python";
import { fromPlain, type Named, PythonWorker, toPlain } from "./pythonWorkerKit";

interface Case {
  readonly name: string;
  readonly folder: string;
  readonly adapter: string;
  readonly options?: unknown;
  readonly init?: boolean;
  readonly method: string;
  readonly args: readonly Named[];
  readonly expected: readonly Named[];
  readonly loose?: readonly Named[];
}

const home = mkdtempSync(join(tmpdir(), "modelbench-python-"));
const worker = new PythonWorker();
let cases: readonly Case[] = [];
before(() => {
  const groups = [["picklable", "scikit", "onnx"], ["flax"], ["nnx"]];
  cases = groups.flatMap((group) => toPlainJson(askPython("pythonWorkerPeer.py", home, ...group)) as Case[]);
});
after(async () => {
  await worker.close();
  rmSync(home, { recursive: true, force: true });
});

/** Python's numbers of these cases are all small. */
function toPlainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? Number(item) : item)));
}

function caseOf(name: string): Case {
  const found = cases.find((one) => one.name === name);
  assert.ok(found, `no case ${name}`);
  return found;
}

async function answerOf({ adapter, folder, options, init, method, args }: Case): Promise<readonly Named[]> {
  await worker.load(adapter, folder, {
    ...(options === undefined ? {} : { options }),
    ...(init === undefined ? {} : { init }),
  });
  const { outputs, runMs } = await worker.run(method, args);
  assert.ok(runMs >= 0);
  return outputs;
}

function largestDifference(a: readonly Named[], b: readonly Named[]): number {
  const numbers = (named: readonly Named[]) =>
    named.flatMap(({ value }) => ("tensor" in value ? (decodeElements(fromPlain(value.tensor)) as number[]) : []));
  const [left, right] = [numbers(a), numbers(b)];
  assert.equal(left.length, right.length);
  return Math.max(...left.map((value, i) => Math.abs(value - (right[i] as number))));
}

/** Names of the Python script's cases: each is a test, so that a case that is lost is noticed. */
const names = [
  "a picklable function",
  "a class",
  "partial kwargs",
  "a call over partial kwargs",
  "classify",
  "the fallback, classify",
  "RandomForest predict, sklearn",
  "RandomForest predict, bentoml",
  "RandomForest predict_proba",
  "RandomForest of a list",
  "LogisticRegression predict, sklearn",
  "LogisticRegression predict, bentoml",
  "LogisticRegression predict_proba",
  "LogisticRegression of a list",
  "a list of arrays",
  "a pickled RandomForest",
  "a CNN, init true",
  "a CNN, init false",
  "a FrozenDict",
  "float64 for float32",
  "partial kwargs of Flax",
  "BatchNorm",
  "a TrainState",
  "a TrainState with all variables",
  "a module of dicts",
  "a module that answers in the order of a dict",
  "a module that looks at values",
  "an NNX CNN in msgpack",
  "an NNX CNN in safetensors",
  "the fallback, onnx",
];

for (const name of names) {
  test(`${name} answers as the library does, to the bit`, async () => {
    const one = caseOf(name);
    const outputs = await answerOf(one);
    assert.deepEqual(outputs, one.expected);
    if (one.loose) assert.ok(largestDifference(outputs, one.loose) < 1e-6, "the call without jit differs");
  });
}

test("every case that Python saved was tested", () => {
  const refused = ["an NNX CNN in pieces", "an NNX CNN in random"];
  assert.deepEqual(cases.map((one) => one.name).sort(), [...names, ...refused].sort());
});

test("what jax does not take, or would make another number of, is refused by the input's name", async () => {
  const { adapter, folder, args } = caseOf("a FrozenDict");
  await worker.load(adapter, folder);
  const given = (dtype: string, data: unknown) => [
    { ...args[0], name: "x", value: { tensor: { dtype, shape: [1], data } } },
  ];
  const whole = (...values: bigint[]) => Buffer.from(BigInt64Array.from(values).buffer).toString("base64");
  await assert.rejects(worker.run("__call__", given("int64", whole(2n ** 40n)) as Named[]), {
    code: "input.dtype",
    message: "`x`: 1099511627776 does not fit int32, which jax makes of int64.",
  });
  await assert.rejects(worker.run("__call__", given("string", ["a"]) as Named[]), {
    code: "input.dtype",
    message: "`x`: expected numbers or true and false, which jax takes; got texts.",
  });
});

test("a dict is answered in its own order, not in that of an earlier one", async () => {
  const { adapter, folder, args } = caseOf("a module that answers in the order of a dict");
  await worker.load(adapter, folder);
  const orders: string[][] = [];
  for (const names of [
    ["n", "a"],
    ["a", "n"],
  ]) {
    const values: Record<string, unknown> = { n: 3, a: [1, 2] };
    const object = Object.fromEntries(names.map((name) => [name, values[name]]));
    const answer = await worker.run("__call__", [{ ...args[0], name: "batch", value: { object } }] as Named[]);
    orders.push(answer.outputs.map(({ name }) => name));
  }
  assert.deepEqual(orders, [
    ["n", "a"],
    ["a", "n"],
  ]);
});

test("a load names the model's methods, the versions in use and the device", async () => {
  const { folder } = caseOf("partial kwargs of Flax");
  const loaded = (await worker.load("flax", folder)) as Record<string, unknown>;
  assert.deepEqual(loaded["methods"], ["__call__", "features"]);
  assert.equal(loaded["device"], "cpu");
  assert.deepEqual(Object.keys(loaded["versions"] as object), ["python", "flax", "jax", "jaxlib", "numpy"]);
  const picklable = (await worker.load("picklable", caseOf("classify").folder)) as Record<string, unknown>;
  assert.deepEqual(picklable["methods"], ["classify", "predict"]);
});

test("a method, a device and a module that are not there are refused by name", async () => {
  await worker.load("picklable", caseOf("classify").folder);
  await assert.rejects(worker.run("predit", []), { code: "method.notFound", message: /predit.*classify, predict/ });
  const { folder } = caseOf("BatchNorm");
  await assert.rejects(worker.load("flax", folder, { device: "tpu" }), {
    code: "device.unavailable",
    message: /tpu.*It has: cpu/,
  });
  await assert.rejects(worker.load("sklearn", folder), {
    code: "model.framework",
    message: /bentoml\.flax.*bentoml\.sklearn/,
  });
  await worker.load("flax", folder, { device: "cpu" });
  await assert.rejects(worker.run("nope", []), { code: "method.notFound", message: /nope.*__call__/ });
});

test("weights that are not all there are no model: none is made up", async () => {
  await assert.rejects(worker.load("flax", caseOf("an NNX CNN in pieces").folder), {
    code: "model.broken",
    message: /last\.1\.bias of NnxCNN has shape \[3\]; the weights have nothing/,
  });
});

test("random state among the weights is told from a weight of another module", async () => {
  await assert.rejects(worker.load("flax", caseOf("an NNX CNN in random").folder), {
    code: "model.broken",
    message: /^drop\.rngs\.count among the weights is random state/,
  });
});

test("a Flax method is traced once a shape, and its answers are not remembered", async () => {
  const one = caseOf("a FrozenDict");
  await worker.load("flax", one.folder);
  const tracesBefore = worker.log.split("traced (4, 5)").length - 1;
  const first = await worker.run("__call__", one.args);
  const [again, other] = [await worker.run("__call__", one.args), await worker.run("__call__", doubled(one.args))];
  assert.deepEqual(again.outputs, first.outputs);
  assert.notDeepEqual(other.outputs, first.outputs);
  // What is printed takes another way than answers: the trace of another shape shows that all before it is here.
  await worker.run("__call__", firstRow(one.args));
  await worker.printed("traced (1, 5)");
  assert.equal(worker.log.split("traced (4, 5)").length - 1, tracesBefore + 1);
});

function firstRow(args: readonly Named[]): Named[] {
  return args.map(({ name, value }) => {
    if (!("tensor" in value)) return { name, value };
    const { dtype, shape, data } = fromPlain(value.tensor);
    const [rows = 1, ...rest] = shape;
    return {
      name,
      value: { tensor: toPlain({ dtype, shape: [1, ...rest], data: data.slice(0, data.length / rows) }) },
    };
  });
}

function doubled(args: readonly Named[]): Named[] {
  return args.map(({ name, value }) => {
    if (!("tensor" in value)) return { name, value };
    const { dtype, shape, data } = fromPlain(value.tensor);
    const numbers = new Float32Array(new Uint8Array(data).buffer).map((item) => item * 2);
    return { name, value: { tensor: { dtype, shape, data: Buffer.from(numbers.buffer).toString("base64") } } };
  });
}
