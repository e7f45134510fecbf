import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { encodeStrings, itemSize } from "../../src/formats/elements";
import type { DType, Tensor } from "../../src/formats/tensor";
import { encodeHeader, MAX_HEADER_BYTES } from "../../src/runner/frames";
import { askPython } from "./python";
import { fromPlain, PythonWorker, tensorArg } from "./pythonWorkerKit";

const home = mkdtempSync(join(tmpdir(), "modelbench-faults-"));
const canary = join(home, "canary");
const odd = join(home, "odd");
const worker = new PythonWorker();
let shadows: readonly string[] = [];
before(async () => {
  shadows = askPython("pythonWorkerFaultsPeer.py", home, canary) as string[];
  await worker.load("picklable", odd);
});
after(async () => {
  await worker.close();
  rmSync(home, { recursive: true, force: true });
});

const floats: Tensor = { dtype: "float64", shape: [2], data: new Uint8Array(new Float64Array([1, 2]).buffer) };

/** The only output of a method that takes one tensor. */
async function outputOf(method: string, tensor: Tensor): Promise<Tensor> {
  const { outputs } = await worker.run(method, [tensorArg("0", tensor)]);
  assert.equal(outputs.length, 1);
  assert.equal(outputs[0]?.name, "output");
  assert.ok(outputs[0] && "tensor" in outputs[0].value);
  return fromPlain(outputs[0].value.tensor);
}

const dtypes: readonly DType[] = [
  ..."bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split(" "),
  ..."bfloat16 int2 int4 uint2 uint4 float8_e3m4 float8_e4m3 float8_e4m3b11fnuz float8_e4m3fn".split(" "),
  ..."float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu float6_e2m3fn float6_e3m2fn float4_e2m1fn".split(" "),
] as DType[];

for (const dtype of dtypes) {
  test(`${dtype} reaches a model as that, and comes back to the bit`, async () => {
    const size = 6 * (itemSize(dtype) ?? 0);
    const data = Uint8Array.from({ length: size }, (_, i) => (dtype === "bool" ? i % 2 : (i * 37) % 256));
    const sent: Tensor = { dtype, shape: [3, 1, 2], data };
    const got = await outputOf("echo", sent);
    assert.deepEqual({ ...got, data: [...got.data] }, { ...sent, data: [...data] });
    const typed = (await worker.run("typed", [tensorArg("0", sent)])).outputs[0]?.value;
    assert.deepEqual(typed, { object: `ndarray ${dtype} (3, 1, 2)` });
  });
}

test("texts, scalars and empty arrays come back as they went", async () => {
  const texts = { dtype: "string" as const, shape: [2, 2], data: encodeStrings(["", "é🙂", "a\nb", "ends in NUL\0"]) };
  for (const sent of [
    texts,
    { dtype: "int32" as const, shape: [], data: new Uint8Array([1, 2, 3, 4]) },
    { dtype: "float32" as const, shape: [0, 7], data: new Uint8Array(0) },
    { dtype: "string" as const, shape: [0], data: new Uint8Array(0) },
  ]) {
    const got = await outputOf("echo", sent);
    assert.deepEqual({ ...got, data: [...got.data] }, { ...sent, data: [...sent.data] });
  }
});

test("a model may write into its input, and the next request does not see it", async () => {
  const first = await outputOf("adds", floats);
  assert.deepEqual([...new Float64Array(new Uint8Array(first.data).buffer)], [2, 3]);
  const again = await outputOf("adds", floats);
  assert.deepEqual(again, first);
});

test("lists and objects reach a model as Python has them, named numbers among numbers too", async () => {
  const values = [[1, "NaN", "-Infinity"], ["NaN", "x"], [true, null, { a: "NaN" }], 12345678901];
  const { outputs } = await worker.run("echo", [{ name: "0", value: { list: values } }]);
  assert.deepEqual(outputs, [{ name: "output", value: { list: values } }]);
  const typed = async (value: unknown) => (await worker.run("typed", [{ name: "x", value: { list: value } }])).outputs;
  assert.deepEqual(await typed([1, "NaN"]), [{ name: "output", value: { object: "list [1, nan] " } }]);
  assert.deepEqual(await typed(["1", "NaN"]), [{ name: "output", value: { object: "list ['1', 'NaN'] " } }]);
});

const square = [0, 1, 2, 3];
const kinds: readonly (readonly [string, unknown])[] = [
  ["tuple", { 0: ["float64", [2, 2], square], 1: ["float32", [], [0.5]] }],
  ["dict", { a: ["float64", [2, 2], square], 2: ["float64", [2], [0, 1]] }],
  ["transposed", { output: ["float64", [2, 2], [0, 2, 1, 3]] }],
  ["big-endian", { output: ["float32", [2, 2], square] }],
  ["sparse", { output: ["float64", [2, 2], square] }],
  ["scalar", { output: ["int16", [], [-3]] }],
  ["texts", { output: ["string", [2], ["a", "bcd"]] }],
  ["bytes", { output: ["string", [2], ["a", "bc"]] }],
  ["numbers", { output: ["float64", [2], [1, 2.5]] }],
  ["empty", { output: ["int8", [0, 3], []] }],
  ["generator", { output: { list: [1, 2] } }],
  ["numpy in a list", { output: { list: [{ label: "cat", score: 0.25 }] } }],
  ["pair", { output: { object: [1, "a"] } }],
  ["none", { output: { object: null } }],
  ["not finite", { output: { list: ["NaN", "Infinity", "-Infinity"] } }],
  ["large", { output: { object: 2 ** 70 } }],
  ["classes", { output: { object: { 1: "one" } } }],
];

test("every kind of answer has its form", async () => {
  for (const [kind, expected] of kinds) {
    const { outputs } = await worker.run("kind", [{ name: "0", value: { object: kind } }]);
    const forms = outputs.map(({ name, value }) => [name, "tensor" in value ? elements(value.tensor) : value]);
    assert.deepEqual(Object.fromEntries(forms), expected, kind);
  }
});

function elements(plain: { dtype: string; shape: readonly number[]; data: unknown }): unknown {
  if (plain.dtype === "string") return [plain.dtype, plain.shape, plain.data];
  const { buffer } = new Uint8Array(fromPlain(plain).data);
  const views = { float64: Float64Array, float32: Float32Array, int16: Int16Array, int8: Int8Array };
  return [plain.dtype, plain.shape, [...new views[plain.dtype as keyof typeof views](buffer)]];
}

test("what has no form outside Python is refused by what it is, never as its text", async () => {
  for (const [kind, words] of [
    ["set", /holds a value of type set/],
    ["nested set", /holds a value of type set/],
    ["mixed", /object of int, str/],
    ["dates", /datetime64/],
    ["long double", /float128|longdouble|float96/],
    ["records", /void|record/],
    ["masked", /masked array/],
    [
      "huge sparse",
      /a sparse array of shape \[1048576, 1048576\], too large to send with its zeros: 8796093022208 bytes/,
    ],
  ] as const) {
    const refused = worker.run("kind", [{ name: "0", value: { object: kind } }]);
    await assert.rejects(refused, { code: "run.failed", message: words }, kind);
  }
});

test("what a model prints, by whatever way, is in the log and in no answer", async () => {
  const got = await outputOf("prints", floats);
  assert.deepEqual([...got.data], [...floats.data]);
  for (const text of [
    "printed by the model",
    "written by the model",
    "written to descriptor 1",
    "printed by a child",
  ]) {
    await worker.printed(text);
  }
});

test("a failure of the model names it and its own lines, and none of ours", async () => {
  await assert.rejects(worker.run("fails", [{ name: "0", value: { object: 7 } }]), (error: Error) => {
    const [first, ...lines] = error.message.split("\n");
    assert.equal(first, "ValueError: cannot take 7");
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? "", /pythonWorkerFaultsPeer\.py:\d+, in fails/);
    assert.match(lines[1] ?? "", /pythonWorkerFaultsPeer\.py:\d+, in inner: raise ValueError/);
    return (error as { code?: string }).code === "run.failed";
  });
  await assert.rejects(worker.run("fails", []), { code: "run.failed", message: /^TypeError: .*missing 1 required/ });
});

test("a failure tells its notes, what it was raised from and what it holds", async () => {
  const told = async (method: string) => {
    const error: Error = await worker.run(method, []).then(
      () => assert.fail("it gave an answer"),
      (failure) => failure,
    );
    return error.message.split("\n").filter((line) => !line.includes(`in ${method}`));
  };
  assert.deepEqual(await told("explains"), [
    "ValueError: no price",
    "Seen in row 3.",
    "  raised from KeyError: 'rates'",
  ]);
  assert.deepEqual(await told("several"), [
    "OddGroup: many",
    "  holds ValueError: one",
    "  holds TypeError: two",
    "lines",
  ]);
});

test("a missing module, an exit and too little memory are told as that, and the worker goes on", async () => {
  await assert.rejects(worker.run("lacks", []), {
    code: "python.module",
    message: /not_to_be_found/,
    remedy: /modelbench\.python\.paths/,
  });
  await assert.rejects(worker.run("exits", []), { code: "run.failed", message: /^SystemExit: 3/ });
  await assert.rejects(worker.run("hungry", []), { code: "run.failed", message: /out of memory/ });
  const [first, second] = [await worker.run("counts", []), await worker.run("counts", [])];
  assert.deepEqual(
    [first, second].map(({ outputs }) => outputs[0]?.value),
    [{ object: 1 }, { object: 2 }],
    "the model is the same one, and its answers are not remembered",
  );
});

test("positions have no gap", async () => {
  await assert.rejects(worker.run("echo", [tensorArg("1", floats)]), { code: "input.name" });
});

test("a DataFrame is refused by name where pandas is not", async () => {
  const without = new PythonWorker();
  await without.load("picklable", odd);
  await without.run("hides", [{ name: "0", value: { object: "pandas" } }]);
  const value = { dataframe: [["a", 0]] };
  await assert.rejects(without.ask("run", { method: "echo", args: [{ name: "0", value }] }, [floats]), {
    code: "python.missing",
    message: /pandas/,
    remedy: /^\S+python -m pip install pandas$/,
  });
  await without.close();
});

test("64 MiB go there and back, every byte of them", async () => {
  const data = new Uint8Array(new Uint32Array(2 ** 24).map((_, i) => Math.imul(i, 2654435761)).buffer);
  const sent: Tensor = { dtype: "uint8", shape: [2 ** 26], data };
  const args = [{ name: "0", value: { tensor: 0 } }];
  const frame = await worker.ask("run", { method: "echo", args }, [sent]);
  assert.ok(Buffer.from(data).equals(Buffer.from(frame.bodies[0]?.data ?? [])));
});

test("a request that memory does not hold fails alone, in words", async () => {
  const small = new PythonWorker();
  try {
    await small.load("picklable", odd);
    // What arrays need is loaded before there is little room.
    await small.run("echo", [tensorArg("0", floats)]);
    await small.run("limits", [{ name: "0", value: { object: 2 ** 26 } }]);
    const large: Tensor = { dtype: "uint8", shape: [2 ** 28], data: new Uint8Array(2 ** 28) };
    const args = [1, 0].map((tensor, position) => ({ name: String(position), value: { tensor } }));
    await assert.rejects(small.ask("run", { method: "echo", args }, [large, floats]), {
      code: "run.failed",
      message: /^Python ran out of memory\. \S*MemoryError/,
      remedy: /^Send fewer rows at once/,
    });
    assert.equal((await small.run("echo", [tensorArg("0", floats)])).outputs.length, 1);
  } finally {
    await small.close();
  }
});

test("custom objects that say much in many letters are told as far as they fit", async () => {
  const { objects } = (await worker.ask("customObjects")).data as { objects: { name: string; repr: string }[] };
  assert.equal(objects[0]?.repr, `'${"字".repeat(1999)}…`);
  assert.deepEqual([objects[199]?.name, objects[199]?.repr], ["long 199", "…"]);
  assert.ok(objects.length > 200 && objects.length < 900, `${objects.length} objects`);
});

test("a class of the project loads from its folder, and what it imports there", async () => {
  const project = new PythonWorker();
  try {
    await assert.rejects(project.load("picklable", join(home, "project")), {
      code: "python.module",
      message: /module shop/,
    });
    await project.load("picklable", join(home, "project"), { paths: [join(home, "src")] });
    const { outputs } = await project.run("times", [{ name: "0", value: { object: 14 } }]);
    assert.deepEqual(outputs[0]?.value, { object: 42 });
  } finally {
    await project.close();
  }
});

test("no file of the project stands in for Python's, a framework's or the worker's", async () => {
  const project = new PythonWorker(["-I"], { PYTHONPATH: join(home, "src"), PYTHONSTARTUP: join(home, "src/json.py") });
  try {
    await project.load("sklearn", odd, { paths: [join(home, "src")], preload: ["shop_rates"] });
    await project.load("picklable", join(home, "asks"), { paths: [join(home, "src")] });
    const { outputs } = await project.run("__call__", [{ name: "0", value: { list: [...shadows, "shop_rates"] } }]);
    const found = (outputs[0]?.value as { list: string[] } | undefined)?.list ?? [];
    const own = found.filter((file) => file.startsWith(home));
    assert.deepEqual(own, [join(home, "src/shop_rates.py")]);
    assert.ok(found[0]?.endsWith("json/__init__.py"), `json is ${found[0]}`);
    assert.ok(!existsSync(canary), existsSync(canary) ? readFileSync(canary, "utf8") : "");
  } finally {
    await project.close();
  }
});

test("an interpreter without the framework says so, with the line that installs it", async () => {
  const bare = new PythonWorker(["-I", "-S"]);
  try {
    for (const [adapter, packages] of [
      ["picklable", "cloudpickle"],
      ["sklearn", "joblib scikit-learn"],
      ["flax", "jax jaxlib flax cloudpickle"],
      ["bentoml", "bentoml"],
    ] as const) {
      const refused = bare.ask("import", { adapter, preload: [] });
      await assert.rejects(refused, { code: "python.missing", remedy: new RegExp(`-m pip install ${packages}$`) });
    }
  } finally {
    await bare.close();
  }
});

test("a damaged or missing model file is a broken model", async () => {
  const damaged = new PythonWorker();
  try {
    const folder = mkdtempSync(join(home, "damaged-"));
    await assert.rejects(damaged.load("picklable", folder), { code: "model.broken", message: /saved_model\.pkl/ });
    writeFileSync(join(folder, "saved_model.pkl"), readFileSync(join(odd, "saved_model.pkl")).subarray(0, 100));
    await assert.rejects(damaged.load("picklable", folder), { code: "model.broken", message: /damaged/ });
    await assert.rejects(damaged.run("echo", []), { code: "run.failed", message: /No model is loaded/ });
    await damaged.load("picklable", odd);
    assert.deepEqual((await damaged.run("counts", [])).outputs[0]?.value, { object: 1 });
  } finally {
    await damaged.close();
  }
});

function framed(header: unknown): Buffer {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(text.length);
  return Buffer.concat([prefix, text]);
}

const request = { v: 1, kind: "request", id: 1, op: "ping", bodies: [] as unknown[] };
const claim = { dtype: "float32", shape: [2], bytes: 8 };
const broken: readonly (readonly [string, Buffer, string])[] = [
  ["no header", Buffer.alloc(4), "protocol.invalid"],
  ["a header of 4 GiB", Buffer.from([255, 255, 255, 255]), "protocol.invalid"],
  ["a header over its limit", framed(" ".repeat(MAX_HEADER_BYTES + 1)), "protocol.invalid"],
  ["no JSON", framed("{"), "protocol.invalid"],
  ["NaN in JSON", framed('{"v":1,"kind":"request","id":1,"op":"ping","data":NaN,"bodies":[]}'), "protocol.invalid"],
  ["JSON without an end", framed("[".repeat(100_000)), "protocol.invalid"],
  ["another version", framed({ ...request, v: 2 }), "protocol.version"],
  ["an unknown kind", framed({ ...request, kind: "wish" }), "protocol.invalid"],
  ["a negative id", framed({ ...request, id: -1 }), "protocol.invalid"],
  ["no bodies", framed({ ...request, bodies: undefined }), "protocol.invalid"],
  [
    "too many bodies",
    framed({ ...request, bodies: Array(1025).fill({ ...claim, shape: [0], bytes: 0 }) }),
    "protocol.invalid",
  ],
  ["an unknown dtype", framed({ ...request, bodies: [{ ...claim, dtype: "float33" }] }), "protocol.invalid"],
  ["a size that does not fit", framed({ ...request, bodies: [{ ...claim, bytes: 9 }] }), "protocol.invalid"],
  [
    "a size that no machine has",
    framed({ ...request, bodies: [{ ...claim, shape: [2 ** 50], bytes: 2 ** 52 }] }),
    "protocol.invalid",
  ],
];

for (const [name, bytes, code] of broken) {
  test(`a frame with ${name} ends the worker, which says why`, async () => {
    const victim = new PythonWorker();
    const answer = victim.next();
    victim.write(bytes);
    assert.equal((await answer).error?.code, code);
    assert.equal(await victim.ended(), 1);
    await victim.close();
  });
}

test("a frame that is cut short ends the worker", async () => {
  const victim = new PythonWorker();
  await victim.ask("ping");
  victim.child.stdin.end(encodeHeader({ kind: "request", id: 9, op: "ping", bodies: [] }).subarray(0, 20));
  await victim.ended();
  await victim.close();
});

test("a request that is well framed and nonsense is refused, and the worker goes on", async () => {
  for (const [op, data] of [
    ["nonsense", {}],
    ["run", { method: 7, args: [] }],
    ["run", { method: "echo", args: [{ name: "0", value: { tensor: 0 } }] }],
    ["run", { method: "echo", args: [{ name: "0", value: { pickle: 0 } }] }],
    ["run", { method: "echo", args: [], batch: [0, 0] }],
    ["load", { adapter: "picklable", folder: "odd" }],
  ] as const) {
    await assert.rejects(worker.ask(op, data), { code: "protocol.invalid" }, op);
  }
  await assert.rejects(worker.ask("import", { adapter: "os" }), { code: "run.unsupported" });
  await worker.load("picklable", odd);
  await outputOf("echo", floats);
});

test("the end of the requests is the worker's end, at rest and in the middle of a run", async () => {
  const resting = new PythonWorker();
  await resting.ask("ping");
  resting.child.stdin.end();
  assert.equal(await resting.ended(), 0);
  await resting.close();
  const running = new PythonWorker();
  await running.load("picklable", odd);
  const run = running.run("waits", []);
  await running.printed("the wait begins");
  running.child.stdin.end();
  await assert.rejects(run);
  assert.equal(await running.ended(), 0);
  await running.close();
});
