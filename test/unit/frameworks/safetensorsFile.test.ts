import assert from "node:assert/strict";
import {
  closeSync,
  cpSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { decodeElements } from "../../../src/formats/elements";
import { type FileReader, openFileReader } from "../../../src/formats/fileReader";
import { digestOf } from "../../../src/formats/tensorData";
import type { FileContent } from "../../../src/frameworks/content";
import { openContent } from "../../../src/frameworks/contentFormats";
import { inspectFile, inspectModel } from "../../../src/frameworks/inspect";
import { readModelFolder } from "../../../src/store/lookup";
import { answersOrFails, failsWith } from "../../fixtures/failures";
import { modelYaml } from "../../fixtures/hostileArchives";
import { corpus } from "../../fixtures/hostileCorpus";
import { safetensorsBytes, VECTORS } from "../../fixtures/safetensors";

const folder = mkdtempSync(join(tmpdir(), "mb-safetensors-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const SHARDED = join(VECTORS, "safetensors", "sharded");
const INDEX = "model.safetensors.index.json";

/** A folder with two shards of one tensor each, and an index that says so unless it is told otherwise. */
function sharded(name: string, index: unknown, second = "b"): string {
  const at = join(folder, name);
  mkdirSync(at);
  for (const [file, tensor] of [
    ["1.safetensors", "a"],
    ["2.safetensors", second],
  ]) {
    const header = `{"${tensor}":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`;
    writeFileSync(join(at, file ?? ""), safetensorsBytes(header, Buffer.from([1, 2])));
  }
  writeFileSync(join(at, INDEX), typeof index === "string" ? index : JSON.stringify(index));
  return join(at, INDEX);
}

const BOTH = { a: "1.safetensors", b: "2.safetensors" };

function use<T>(content: FileContent, act: (content: FileContent) => T): T {
  try {
    return act(content);
  } finally {
    content.close();
  }
}

test("an index opens as one content with the tensors of all shards, each with its file", () => {
  const { content, format } = openContent(join(SHARDED, INDEX));
  assert.equal(format, "safetensors");
  use(content, ({ tensors, warnings, metadata, shards }) => {
    assert.deepEqual(
      tensors.map(({ file, name }) => [file, name]),
      [
        ["model-00001-of-00002.safetensors", "a.kernel"],
        ["model-00002-of-00002.safetensors", "a.bias"],
        ["model-00002-of-00002.safetensors", "n.scale"],
      ],
    );
    assert.deepEqual([warnings, metadata, shards?.length], [[], new Map([["format", "flax"]]), 2]);
    const digests = tensors.map((_, i) => digestOf(content.data(tensors.length - 1 - i)));
    assert.equal(digests[2], "87298bfdf70bee223483d00714484ba2f87c09cab628cd3ae94b58cc9a703aab");
  });
  const document = inspectFile(join(SHARDED, INDEX));
  assert.equal(document.files.length, 3);
  assert.equal(document.bytes, 219 + 184 + 186);
});

test("any .json object with weight_map is an index; other .json files are not", () => {
  const path = join(folder, "list.json");
  cpSync(SHARDED, join(folder, "copy"), { recursive: true });
  cpSync(join(SHARDED, INDEX), join(folder, "copy", "list.json"));
  use(openContent(join(folder, "copy", "list.json")).content, ({ tensors }) => assert.equal(tensors.length, 3));
  for (const text of ["{}", `{"config":{"weight_map":{}}}`, `["weight_map"]`, `{"weight_map":{}`, `"weight_map"`]) {
    writeFileSync(path, text);
    assert.equal(openContent(path).format, "unknown", text);
  }
  writeFileSync(path, `{"weight_map":[]}`);
  failsWith("format.corrupt", () => openContent(path));
});

test("every fault of an index or its shards is a failure that names it", () => {
  const cases = [
    ["missing", { weight_map: { ...BOTH, c: "3.safetensors" } }, "file.access", /"3\.safetensors" is missing/],
    ["wrong", { weight_map: { ...BOTH, b: "1.safetensors" } }, "format.corrupt", /"b" is not in 1\.safetensors/],
    ["climbs", { weight_map: { a: "../1.safetensors" } }, "format.corrupt", /not a plain name/],
    ["absolute", { weight_map: { a: "/etc/passwd" } }, "format.corrupt", /not a plain name/],
    ["odd", { weight_map: { a: 1 } }, "format.corrupt", /a string was expected/],
    ["twice", `{"weight_map":{"a":"1.safetensors","a":"2.safetensors"}}`, "format.corrupt", /"a" twice/],
    ["torn", `{"weight_map":{"a":`, "format.corrupt", /ends where/],
    ["none", {}, "format.corrupt", /no weight_map/],
  ] as const;
  for (const [name, index, code, words] of cases) {
    const path = sharded(name, index);
    assert.match(failsWith(code, () => openContent(path)).message, words, name);
  }
  const both = sharded("both", { weight_map: { a: "1.safetensors", c: "2.safetensors" } }, "a");
  assert.match(failsWith("format.corrupt", () => openContent(both)).message, /in two shards/);
});

test("an index of PyTorch's or Flax's own shards is told from one of safetensors files", () => {
  for (const [shard, words] of [
    ["pytorch_model-00001-of-00002.bin", "a shard of PyTorch"],
    ["flax_model-00001-of-00002.msgpack", "a shard of Flax"],
  ] as const) {
    const path = sharded(shard, { weight_map: { a: shard } });
    const { message, remedy } = failsWith("format.mismatch", () => openContent(path));
    assert.ok(message.includes(`names "${shard}", ${words};`), message);
    assert.equal(remedy, "Open the shards one by one.");
  }
});

test("a shard that is named in two ways is one shard", () => {
  const path = sharded("dots", { weight_map: { a: "./1.safetensors", b: "2.safetensors", c: "1.safetensors" } });
  const at = join(path, "..", "1.safetensors");
  const entry = (from: number) => ({ dtype: "U8", shape: [1], data_offsets: [from, from + 1] });
  writeFileSync(at, safetensorsBytes(JSON.stringify({ a: entry(0), c: entry(1) }), Buffer.from([1, 2])));
  use(openContent(path).content, ({ tensors, warnings }) => {
    assert.deepEqual([tensors.map(({ name }) => name), warnings], [["a", "c", "b"], []]);
  });
});

test("a shard behind a link that leaves the folder is refused; one that stays is read", () => {
  const path = sharded("links", { weight_map: { a: "in.safetensors", b: "out.safetensors" } });
  writeFileSync(
    join(folder, "outside.safetensors"),
    safetensorsBytes(`{"b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`),
  );
  symlinkSync("1.safetensors", join(folder, "links", "in.safetensors"));
  symlinkSync("../outside.safetensors", join(folder, "links", "out.safetensors"));
  assert.match(failsWith("format.corrupt", () => openContent(path)).message, /"out\.safetensors" leads out/);
  rmSync(join(folder, "links", "out.safetensors"));
  symlinkSync("2.safetensors", join(folder, "links", "out.safetensors"));
  use(openContent(path).content, ({ tensors }) => assert.equal(tensors.length, 2));
});

test("a wrong total and a tensor that the index leaves out are warnings", () => {
  const path = sharded("total", { metadata: { total_size: 5 }, weight_map: { a: "1.safetensors" } });
  writeFileSync(
    join(folder, "total", "1.safetensors"),
    safetensorsBytes(
      `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"z":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`,
      Buffer.alloc(2),
    ),
  );
  use(openContent(path).content, ({ warnings }) =>
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["safetensors.unmapped", "safetensors.totalSize"],
    ),
  );
  for (const total of ["4", "4.0", "4e0"]) {
    const fits = sharded(`fits${total}`, `{"metadata":{"total_size":${total}},"weight_map":${JSON.stringify(BOTH)}}`);
    use(openContent(fits).content, ({ warnings }) => assert.deepEqual(warnings, []));
  }
});

test("more shards than are kept open are read in any order", () => {
  const at = join(folder, "many");
  mkdirSync(at);
  const map: Record<string, string> = {};
  for (let i = 0; i < 12; i++) {
    map[`t${i}`] = `${i}.safetensors`;
    const header = `{"t${i}":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`;
    writeFileSync(join(at, `${i}.safetensors`), safetensorsBytes(header, Buffer.from([i])));
  }
  writeFileSync(join(at, INDEX), JSON.stringify({ weight_map: map }));
  const opened: string[] = [];
  let open = 0;
  const counting = (path: string): FileReader => {
    const reader = openFileReader(path);
    opened.push(path);
    open++;
    return {
      size: reader.size,
      read: (from, length) => reader.read(from, length),
      close: () => {
        open--;
        reader.close();
      },
    };
  };
  const { content } = openContent(join(at, INDEX), INDEX, counting);
  for (const i of [11, 0, 5, 0, 7, 3, 11, 2, 1]) assert.deepEqual([...content.data(i).read(0, 1)], [i]);
  assert.ok(open <= 4, `${open} open`);
  content.close();
  assert.equal(open, 0);
});

test("a model's folder lists its shards once, and a fault of its index is a warning", () => {
  const model = join(folder, "model");
  cpSync(SHARDED, model, { recursive: true });
  writeFileSync(join(model, "model.yaml"), modelYaml({ name: "m", version: "v" }));
  const document = inspectModel(readModelFolder(model), { digest: true });
  assert.deepEqual(
    document.tensors.map(({ name }) => name),
    ["a.kernel", "a.bias", "n.scale"],
  );
  assert.deepEqual(document.warnings, []);
  assert.equal(document.tensors[0]?.sha256, "87298bfdf70bee223483d00714484ba2f87c09cab628cd3ae94b58cc9a703aab");
  rmSync(join(model, "model-00002-of-00002.safetensors"));
  const broken = inspectModel(readModelFolder(model));
  assert.deepEqual(
    broken.tensors.map(({ name }) => name),
    ["a.kernel"],
  );
  assert.deepEqual(
    broken.warnings.map(({ code }) => code),
    ["file.unreadable"],
  );
});

test("every hostile safetensors file has its verdict, and nothing is polluted", () => {
  const cases = corpus().filter(({ group }) => group === "safetensors");
  assert.ok(cases.length >= 19);
  for (const { id, file = "", verdict } of cases) {
    const path = join("test", "fixtures", "hostile", file);
    if (verdict === "accept") inspectFile(path, { digest: true });
    else if (verdict === "reject") failsWith("format.mismatch", () => inspectFile(path));
    else answersOrFails(() => inspectFile(path, { digest: true }), id);
  }
  assert.deepEqual(Object.keys(Object.prototype), []);
});

test("a file of 10 GiB is opened with two reads of its header, and values are read from its end", () => {
  const path = join(folder, "big.safetensors");
  const count = 10 * 2 ** 30;
  const header = Buffer.from(`{"a":{"dtype":"I8","shape":[${count}],"data_offsets":[0,${count}]}}`);
  const handle = openSync(path, "w");
  writeSync(handle, safetensorsBytes(header));
  ftruncateSync(handle, 8 + header.length + count);
  writeSync(handle, Buffer.from([0xfe]), 0, 1, 8 + header.length + count - 1);
  closeSync(handle);
  let bytes = 0;
  const counting = (name: string): FileReader => {
    const reader = openFileReader(name);
    return {
      size: reader.size,
      close: () => reader.close(),
      read: (from, length) => {
        bytes += length;
        return reader.read(from, length);
      },
    };
  };
  use(openContent(path, "big", counting).content, (content) => {
    assert.equal(bytes, 8 + header.length);
    const data = content.data(0);
    assert.deepEqual(decodeElements({ dtype: data.dtype, shape: [1], data: data.read(count - 1, 1) }), [-2]);
  });
});
