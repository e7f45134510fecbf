import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { type CliAnswer, type CliKit, openCliKit } from "../../fixtures/cliKit";
import { addModel } from "../../fixtures/onnxParts";
import { varint } from "../../fixtures/protoWriter";

let kit: CliKit;
let onnx: string;
before(async () => {
  kit = await openCliKit();
  onnx = join(kit.folder, "add.onnx");
  writeFileSync(onnx, addModel());
});
after(() => kit.dispose());
beforeEach(() => rmSync(kit.home, { recursive: true, force: true }));

const json = (...args: string[]): Promise<unknown> => kit.json(...args);

/** The failure of a command that must fail with one JSON document on stderr. */
async function failure(
  code: number,
  ...args: string[]
): Promise<{ code: string; message: string; remedy?: string; failed?: unknown[] }> {
  const answer = await kit.run([...args, "-o", "json"]);
  assert.equal(answer.code, code, `${args.join(" ")}: ${answer.stderr}`);
  return errorOf(answer);
}

function errorOf({ stderr }: CliAnswer) {
  const document = JSON.parse(stderr) as {
    error: { code: string; message: string; remedy?: string; failed?: unknown[] };
    warnings: unknown[];
  };
  assert.ok(Array.isArray(document.warnings));
  assert.doesNotMatch(stderr, /\n\s+at /, "a stack trace");
  return document.error;
}

const saveAdd = (tag = "add:v1", ...more: string[]) => json("save", tag, onnx, ...more);

test("a home that does not exist lists as nothing and is not created by looking", async () => {
  assert.deepEqual(await json("list"), []);
  assert.equal(existsSync(kit.home), false);
});

test("a saved file is listed, got, inspected and run", async () => {
  const saved = await saveAdd(
    "add:v1",
    "--label",
    "stage=dev",
    "--metadata",
    'classes=["a","b"]',
    "--metadata",
    "acc=1.0",
  );
  assert.deepEqual(saved, { tag: "add:v1", path: join(kit.home, "models/add/v1") });
  const listed = (await json("list")) as { tag: string; module: string }[];
  assert.deepEqual(
    listed.map(({ tag, module }) => ({ tag, module })),
    [{ tag: "add:v1", module: "bentoml.onnx" }],
  );
  const got = (await json("get", "add")) as {
    labels: unknown;
    metadata: unknown;
    context: { bentoml_version: string };
  };
  assert.deepEqual(got.labels, { stage: "dev" });
  assert.deepEqual(got.metadata, { classes: ["a", "b"], acc: 1 });
  assert.equal(got.context.bentoml_version, "1.4.39");
  const inspected = (await json("inspect", "add:latest", "--digest", "--stats")) as {
    kind: string;
    tensors: { sha256: string; stats: { histogram: { counts: number[] } } }[];
  };
  assert.equal(inspected.kind, "model");
  assert.match(inspected.tensors[0]?.sha256 ?? "", /^[0-9a-f]{64}$/);
  const { histogram, ...figures } = inspected.tensors[0]?.stats ?? {};
  assert.deepEqual(figures, { min: 1, max: 3, mean: 2, std: Math.sqrt(2 / 3), nan: 0, inf: 0, zeros: 0 });
  assert.deepEqual(
    { ...histogram, counts: histogram?.counts.flatMap((n, i) => (n > 0 ? [i] : [])) },
    {
      low: 1,
      high: 3,
      counts: [0, 32, 63],
    },
  );
  const { stdout } = await kit.run(["inspect", "add:latest", "--stats"]);
  assert.match(stdout, /\n {4}min 1, max 3, mean 2, std 0\.816496580927726, 0 zeros, 0 NaN, 0 infinite\n/);
  const ran = (await json("run", "add", "--input", "x=[[1,2,3]]")) as {
    outputs: unknown;
    batchSize: number;
    device: string;
  };
  assert.deepEqual(ran.outputs, { y: { dtype: "float32", shape: [1, 3], data: [[2, 4, 6]] } });
  assert.deepEqual([ran.batchSize, ran.device], [1, "cpu"]);
});

test("metadata keeps integers and floats apart in model.yaml", async () => {
  await saveAdd("add:v1", "--metadata", "f=1.0", "--metadata", "i=1", "--metadata", "e=1e3");
  const yaml = readFileSync(join(kit.home, "models/add/v1/model.yaml"), "utf8");
  assert.match(yaml, /\n {2}f: 1\.0\n {2}i: 1\n {2}e: 1000\.0\n/);
});

test("inputs come from JSON words, files, TensorProto and standard input, and examples fill what is left out", async () => {
  const given = join(kit.folder, "x.json");
  writeFileSync(given, "[[1,1,1]]");
  const folder = join(kit.folder, "outputs");
  await json("run", onnx, "--input", `x=${given}`, "--out", folder);
  assert.deepEqual(readdirSync(folder), ["y.npy"]);
  const again = (await json("run", onnx, "--input", `x=${join(folder, "y.npy")}`)) as {
    outputs: { y: { data: unknown } };
  };
  assert.deepEqual(again.outputs.y.data, [[3, 5, 7]]);
  const piped = await kit.run(["run", onnx, "--input", "x=-", "-o", "json"], { stdin: "[[0, 0, 0], [1, 1, 1]]" });
  assert.deepEqual(JSON.parse(piped.stdout).outputs.y.data, [
    [1, 2, 3],
    [2, 3, 4],
  ]);
  const filled = (await json("run", onnx, "--example")) as { outputs: { y: { data: unknown } } };
  assert.deepEqual(filled.outputs.y.data, [[1, 2, 3]]);
});

test("a wrong input is refused with the input's name, before anything runs", async () => {
  assert.equal((await failure(1, "run", onnx)).code, "input.notFound");
  assert.equal((await failure(1, "run", onnx, "--input", "z=[[1,2,3]]")).code, "input.name");
  const shape = await failure(1, "run", onnx, "--input", "x=[[1,2]]");
  assert.equal(shape.code, "input.shape");
  assert.match(shape.message, /x.*float32 \[batch, 3\].*\[1, 2\]/);
  assert.equal((await failure(1, "run", onnx, "--input", 'x=[["a","b","c"]]')).code, "input.dtype");
  assert.equal((await failure(1, "run", onnx, "--input", "x=nowhere.npy")).code, "input.notFound");
});

test("what cannot be understood is exit 2 and says so as JSON", async () => {
  for (const args of [
    ["nonsense"],
    ["list", "--nonsense"],
    ["list", "a", "b"],
    ["get"],
    ["export", "a", "--format", "rar"],
    ["delete", "a"],
    ["run"],
  ]) {
    const error = await failure(2, ...args);
    assert.equal(error.code, "usage", args.join(" "));
  }
});

test("verbs of later versions are a usage error that says so", async () => {
  for (const args of [
    ["batch", "a", "b"],
    ["bench", "a"],
  ]) {
    assert.match((await failure(2, ...args)).message, /later version/, args.join(" "));
  }
});

test("what is not there is exit 1 with a code and a remedy", async () => {
  await saveAdd();
  assert.equal((await failure(1, "get", "nothing")).code, "model.notFound");
  assert.equal((await failure(1, "get", "add:v9")).code, "model.notFound");
  assert.equal((await failure(1, "get", "UPPER_")).code, "tag.invalid");
  assert.equal((await failure(1, "get", "add", "--framework", "flax")).code, "model.framework");
  assert.equal((await failure(1, "inspect", "./no.onnx")).code, "file.access");
  assert.equal((await failure(1, "save", "add:v1", onnx)).code, "model.exists");
  assert.equal((await failure(1, "save", "add:latest", onnx)).code, "tag.invalid");
  assert.equal((await failure(1, "restore", "add:v1")).code, "trash.notFound");
});

test("a file that is not what its extension claims is a mismatch, and unknown content is not a failure", async () => {
  const text = join(kit.folder, "text.onnx");
  writeFileSync(text, "<html>hello</html>");
  assert.equal((await failure(1, "inspect", text)).code, "format.mismatch");
  assert.equal((await failure(1, "save", "t", text)).code, "format.mismatch");
  const unknown = join(kit.folder, "thing.xyz");
  writeFileSync(unknown, "hello");
  const document = (await json("inspect", "--file", unknown)) as { format: string };
  assert.equal(document.format, "unknown");
});

test("a broken neighbour is a warning beside the models, never a failure", async () => {
  await saveAdd();
  mkdirSync(join(kit.home, "models/add/half"));
  mkdirSync(join(kit.home, "models/UPPER/v1"), { recursive: true });
  const { code, stdout, stderr } = await kit.run(["list", "-o", "json"]);
  assert.equal(code, 0);
  assert.deepEqual(
    JSON.parse(stdout).map((row: { tag: string }) => row.tag),
    ["add:v1"],
  );
  const { warnings } = JSON.parse(stderr) as { warnings: { code: string; path: string }[] };
  assert.equal(warnings.length, 2);
});

test("delete goes to the trash, restore brings the same bytes back, a bare name means every version", async () => {
  await saveAdd("add:v1");
  await saveAdd("add:v2");
  const before = readFileSync(join(kit.home, "models/add/v2/model.yaml"));
  const deleted = (await json("delete", "add", "-y")) as { tag: string; trash: string }[];
  assert.deepEqual(
    deleted.map(({ tag }) => tag),
    ["add:v1", "add:v2"],
  );
  assert.deepEqual(await json("list"), []);
  assert.deepEqual(await json("restore", "add:v2"), deleted.slice(1));
  assert.deepEqual(readFileSync(join(kit.home, "models/add/v2/model.yaml")), before);
  assert.equal(readFileSync(join(kit.home, "models/add/latest"), "utf8"), "v2");
});

test("a version's beginning is enough to look and never enough to delete", async () => {
  await saveAdd("add:version-one");
  assert.equal(((await json("get", "add:ver")) as { version: string }).version, "version-one");
  assert.equal((await failure(1, "delete", "add:ver", "-y")).code, "model.notFound");
});

test("a broken version is deleted by its tag, and together with its name", async () => {
  await saveAdd("add:v1");
  for (const version of ["v2", "v3"]) {
    mkdirSync(join(kit.home, "models/add", version));
    writeFileSync(join(kit.home, "models/add", version, "model.yaml"), "[");
  }
  const tagsOf = (rows: unknown) => (rows as { tag: string }[]).map(({ tag }) => tag);
  assert.deepEqual(tagsOf(await json("delete", "add:v2", "-y")), ["add:v2"]);
  assert.deepEqual(tagsOf(await json("delete", "add", "-y")).sort(), ["add:v1", "add:v3"]);
  assert.deepEqual(readdirSync(join(kit.home, "models")), []);
});

test("a path below a file, and one longer than can exist, are files that are not there", async () => {
  assert.equal((await failure(1, "inspect", join(onnx, "x.onnx"))).code, "file.access");
  assert.equal((await failure(1, "inspect", `./${"x".repeat(300)}.onnx`)).code, "file.access");
});

test("an exported archive comes back, and each conflict choice does what it says", async () => {
  await saveAdd("add:v1");
  const [archive] = [join(kit.folder, "add-v1.bentomodel")];
  const exported = (await json("export", "add:v1", archive)) as { path: string; bytes: number; tag: string };
  assert.deepEqual([exported.tag, exported.path], ["add:v1", archive]);
  const missing = join(kit.folder, "missing.bentomodel");
  assert.equal((await failure(1, "import", archive)).code, "model.exists");
  const dry = await json("import", archive, "--on-conflict", "replace", "--dry-run");
  assert.deepEqual(
    (dry as { action: string }[]).map(({ action }) => action),
    ["would-replace"],
  );
  const skipped = (await json("import", archive, "--on-conflict", "skip")) as { action: string }[];
  assert.equal(skipped[0]?.action, "skipped");
  const fresh = (await json("import", archive, "--on-conflict", "new-version")) as { tag: string; action: string }[];
  assert.equal(fresh[0]?.action, "new-version");
  assert.notEqual(fresh[0]?.tag, "add:v1");
  const replaced = (await json("import", archive, "--on-conflict=replace")) as { action: string }[];
  assert.equal(replaced[0]?.action, "replaced");
  const partly = await kit.run(["import", archive, missing, "--on-conflict", "skip", "-o", "json"]);
  assert.equal(partly.code, 1);
  assert.equal(JSON.parse(partly.stdout).length, 1);
  assert.equal(errorOf(partly).failed?.length, 1);
  rmSync(archive);
});

test("a folder with a model.yaml is a model wherever it lies", async () => {
  await saveAdd("add:v1");
  const copy = join(kit.folder, "copied");
  cpSync(join(kit.home, "models/add/v1"), copy, { recursive: true });
  assert.equal(((await json("inspect", copy)) as { kind: string }).kind, "model");
  assert.deepEqual(((await json("run", copy, "--example")) as { outputs: { y: unknown } }).outputs.y, {
    dtype: "float32",
    shape: [1, 3],
    data: [[1, 2, 3]],
  });
});

test("a model of a module that nobody knows is not run", async () => {
  await saveAdd("add:v1");
  const yaml = join(kit.home, "models/add/v1/model.yaml");
  writeFileSync(yaml, readFileSync(yaml, "utf8").replace("bentoml.onnx", "os; evil"));
  assert.equal((await failure(1, "run", "add", "--example")).code, "run.unsupported");
});

test("check counts what it finds, changes nothing and ends well", async () => {
  await saveAdd("add:v1");
  assert.deepEqual(await json("check"), { models: 1, problems: [] });
  writeFileSync(join(kit.home, "models/add/latest"), "v9");
  const report = (await json("check")) as { problems: { kind: string }[] };
  assert.deepEqual(
    report.problems.map(({ kind }) => kind),
    ["latest.dangling"],
  );
  assert.equal(readFileSync(join(kit.home, "models/add/latest"), "utf8"), "v9");
});

test("check looks at the versions that are named, and knows a name that is not there", async () => {
  await saveAdd("add:v1");
  await saveAdd("add:v2");
  mkdirSync(join(kit.home, "models/add/half"));
  rmSync(join(kit.home, "models/add/v1/saved_model.onnx"));
  const kinds = async (...tags: string[]) => {
    const { models, problems } = (await json("check", ...tags)) as { models: number; problems: { kind: string }[] };
    return [models, ...problems.map(({ kind }) => kind).sort()];
  };
  assert.deepEqual(await kinds("add:v1"), [1, "file.missing"]);
  assert.deepEqual(await kinds("add:latest"), [1]);
  assert.equal((await failure(1, "check", "add:v9")).code, "model.notFound");
  assert.equal((await failure(1, "check", "ad")).code, "model.notFound");
});

test("names from outside reach a terminal without control or direction characters", async () => {
  const evil = join(kit.folder, "evil.onnx");
  writeFileSync(evil, addModel());
  await saveAdd("add:v1", "--label", "k=\u001b[31m\u202eevil");
  const { stdout, stderr, code } = await kit.run(["list"]);
  assert.equal(code, 0);
  const nothing = await kit.run(["get", "\u001b[31m\u202ename"]);
  for (const text of [stdout, stderr, nothing.stderr]) {
    assert.doesNotMatch(text, /[\u0000-\u0008\u001b\u202e]/);
  }
});

test("a reader that goes away ends the command quietly", async () => {
  for (let i = 0; i < 3; i += 1) await saveAdd(`add:v${i}`);
  const child = spawn(process.execPath, [kit.entry, "get", "add:v1"], {
    env: { ...process.env, BENTOML_HOME: kit.home },
  });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const code = await new Promise((settle) => child.once("close", settle));
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
});

test("an interrupted save ends with 130 and leaves no staging behind", async () => {
  const big = join(kit.folder, "big.onnx");
  const head = Buffer.concat([addModel(), unknownField(BIG_BYTES)]);
  writeFileSync(big, head);
  truncateSync(big, head.length + BIG_BYTES);
  const child = spawn(process.execPath, [kit.entry, "save", "big:v1", big, "-o", "json"], {
    env: { ...process.env, BENTOML_HOME: kit.home },
  });
  const staging = join(kit.home, ".modelbench/staging");
  const ended = new Promise((settle) => child.once("close", settle));
  while (child.exitCode === null && (!existsSync(staging) || readdirSync(staging).length === 0)) {
    await new Promise((wake) => setTimeout(wake, 1));
  }
  child.kill("SIGINT");
  const code = await ended;
  assert.equal(code, 130);
  assert.deepEqual(readdirSync(staging), []);
  assert.deepEqual(await json("list"), []);
});

/** Large enough that its copy is still under way when the signal arrives; sparse, so that it costs no disk here. */
const BIG_BYTES = 1024 * 1024 * 1024;

/** The header of a protobuf field that ModelProto does not know (99, length-delimited), for `bytes` bytes after it. */
function unknownField(bytes: number): Buffer {
  return Buffer.concat([varint((99 << 3) | 2), varint(bytes)]);
}
