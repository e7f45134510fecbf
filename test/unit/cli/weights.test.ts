import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { msgpackSerialize } from "../../../src/formats/flaxMsgpack/serialization";
import type { FlaxTree } from "../../../src/formats/flaxMsgpack/tree";
import { type CliKit, openCliKit } from "../../fixtures/cliKit";
import { float32s } from "../../fixtures/flaxTrees";
import { plant, tempFolder } from "../store/storeKit";

const { path: folder, remove } = tempFolder();
let kit: CliKit;
before(async () => {
  kit = await openCliKit();
});
after(() => {
  kit.dispose();
  remove();
});

const array = (...values: number[]): FlaxTree => float32s(values);

function flaxFile(name: string, tree: Readonly<Record<string, FlaxTree>>): string {
  const path = join(folder, name);
  writeFileSync(path, msgpackSerialize(new Map(Object.entries(tree))));
  return path;
}

const place = (name: string): string => join(folder, name);

async function refusal(...args: string[]): Promise<[number | null, string, string]> {
  const { code, stderr } = await kit.run([...args, "-o", "json"]);
  const { error } = JSON.parse(stderr) as { error: { code: string; message: string } };
  return [code, error.code, error.message];
}

test("convert writes what it says, verified, and takes no file that is there unless it is told to", async () => {
  const source = flaxFile("w.msgpack", { kernel: array(1, 2), bias: array(3) });
  const made = (await kit.json(
    "convert",
    source,
    place("w.safetensors"),
    "--metadata",
    "9=b",
    "--metadata",
    "a=c",
  )) as {
    path: string;
    tensors: number;
    dropped: unknown[];
    metadata: Record<string, string>;
  };
  assert.deepEqual([made.path, made.tensors, made.dropped], [place("w.safetensors"), 2, []]);
  assert.deepEqual(made.metadata, { format: "flax", 9: "b", a: "c" });
  const before = readFileSync(made.path);
  const [code, error, message] = await refusal("convert", source, made.path);
  assert.deepEqual([code, error], [1, "file.access"]);
  assert.match(message, /w\.safetensors is there already and is not overwritten/);
  assert.match((await kit.run(["convert", source, made.path])).stderr, /--replace/);
  assert.deepEqual(readFileSync(made.path), before);
  const back = await kit.run(["convert", made.path, source, "--replace", "--drop"]);
  assert.match(back.stdout, /w\.msgpack {2}.*, 2 tensors, verified\n {2}left out: 9 /);
});

test("convert says how many would be left out, and offers nothing that does not help", async () => {
  const source = flaxFile("two.msgpack", { "a.b": array(1), "c.d": array(2), step: 7 });
  const plain = await kit.run(["convert", source, place("two.safetensors")]);
  assert.match(plain.stderr, /So would 2 others\.\n.*--leaves.*--drop/);
  const kept = await kit.run(["convert", source, place("two.safetensors"), "--leaves"]);
  assert.match(kept.stderr, /So would 1 other\.\n.*--drop/);
  assert.doesNotMatch(kept.stderr, /--leaves/);
  await kit.json("convert", source, place("two.safetensors"), "--drop", "--metadata", "a=b");
  const back = await kit.run(["convert", place("two.safetensors"), place("back.msgpack")]);
  assert.match(back.stderr, /\n {2}Leave these out \(--drop\)/);
});

test("convert --dry-run says the same, refuses the same places and writes nothing", async () => {
  const source = flaxFile("dry.msgpack", { kernel: array(1, 2), step: 7 });
  const before = readdirSync(folder);
  const dry = (await kit.json("convert", source, place("dry.safetensors"), "--dry-run")) as { dropped: object[] };
  assert.equal(dry.dropped.length, 1);
  assert.equal((await refusal("convert", source, place("dry.safetensors")))[1], "convert.lossy");
  assert.equal((await refusal("convert", source, place("none/dry.safetensors"), "--dry-run"))[1], "file.access");
  assert.equal((await refusal("convert", source, place("dry.onnx"), "--dry-run"))[1], "usage");
  writeFileSync(place("taken.safetensors"), "mine");
  assert.equal((await refusal("convert", source, place("taken.safetensors"), "--dry-run"))[1], "file.access");
  assert.deepEqual(readdirSync(folder).sort(), [...before, "taken.safetensors"].sort());
  assert.ok(!existsSync(place("dry.safetensors")));
});

test("metadata of a file comes in the file's order, also keys that read as numbers", async () => {
  const header = JSON.stringify({ x: { dtype: "U8", shape: [1], data_offsets: [0, 1] } });
  const text = `{"__metadata__":{"zeta":"1","10":"2","9":"3"},${header.slice(1)}`;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
  const path = place("ordered.safetensors");
  writeFileSync(path, Buffer.concat([length, Buffer.from(text), Buffer.from([0])]));
  const lines = (await kit.run(["inspect", path])).stdout.split("\n");
  assert.deepEqual(
    lines.filter((line) => line.includes(" = ")),
    ["  zeta = 1", "  10 = 2", "  9 = 3"],
  );
  const { stdout } = await kit.run(["inspect", path, "-o", "json"]);
  assert.match(stdout, /"metadata": \{\s*"zeta": "1",\s*"10": "2",\s*"9": "3"\s*\}/);
});

test("compare lists what differs, the largest change first, and says so when nothing does", async () => {
  const a = flaxFile("a.msgpack", { kernel: array(1, 2), bias: array(3), gone: array(0) });
  const b = flaxFile("b.msgpack", { kernel: array(1, 9), bias: array(3.5), came: array(0, 0) });
  const { stdout } = await kit.run(["compare", a, b]);
  assert.match(stdout, /0 equal, 1 added, 1 removed, 2 with other values|0 equal, .*2 with other values/);
  assert.ok(stdout.indexOf("kernel") < stdout.indexOf("bias"), stdout);
  const same = await kit.run(["compare", a, a]);
  assert.match(same.stdout, /They are the same\./);
  const found = (await kit.json("compare", a, b, "--ulps")) as { same: boolean; tensors: { changes: string[] }[] };
  assert.deepEqual([found.same, found.tensors.map(({ changes }) => changes)[0]], [false, ["values"]]);
  assert.equal((await refusal("compare", a, place("missing.msgpack")))[1], "file.access");
});

test("compare tells of a file that only one of two versions has", async () => {
  const more = place("more");
  for (const name of ["a", "b"]) plant(more, name, "v1");
  writeFileSync(join(more, "models/b/v1/notes.txt"), "only here");
  const { stdout } = await kit.run(["compare", "a:v1", "b:v1", "--home", more]);
  assert.match(stdout, /^ {2}\+ file notes\.txt: .*9 bytes$/m);
  const { stdout: back } = await kit.run(["compare", "b:v1", "a:v1", "--home", more]);
  assert.match(back, /^ {2}- file notes\.txt: .*9 bytes$/m);
});
