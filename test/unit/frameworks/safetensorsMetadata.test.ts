import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import { bufferReader } from "../../../src/formats/bufferReader";
import { parsePyYaml } from "../../../src/formats/pyYaml";
import { readSafetensorsHeader } from "../../../src/formats/safetensors/header";
import { prefilledMetadata, runEditSafetensorsMetadata } from "../../../src/frameworks/safetensorsMetadata";
import type { ModelInfo } from "../../../src/store/model";
import { safetensorsBytes, safetensorsVectors, VECTORS } from "../../fixtures/safetensors";

const folder = mkdtempSync(join(tmpdir(), "mb-metadata-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function file(bytes: Uint8Array): string {
  const path = join(folder, `${made++}.safetensors`);
  writeFileSync(path, bytes);
  return path;
}

function read(path: string) {
  const bytes = readFileSync(path);
  const header = readSafetensorsHeader(bufferReader(bytes), path);
  const tensors = header.entries.map(({ name, type, shape, start, bytes: size }) => {
    return [name, type.native, shape, bytes.toString("hex", start, start + size)];
  });
  return {
    metadata: header.metadata && [...header.metadata],
    tensors,
    text: bytes.toString("utf8", 8, header.dataStart),
  };
}

type Entry = readonly [string, string];
const edit = (path: string, set: readonly Entry[], remove: readonly string[] = []) =>
  runEditSafetensorsMetadata({ path, set, remove }, {});

async function refusal(act: Promise<unknown>): Promise<string> {
  const error = await act.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof ModelbenchError && error.code === "file.access", String(error));
  return error.message;
}

test("metadata is set, changed and removed; every tensor keeps its bytes, in every healthy vector", async () => {
  const vectors = safetensorsVectors().filter(({ want }) => want !== "reject");
  assert.ok(vectors.length > 15);
  for (const vector of vectors) {
    const path = file(readFileSync(join(VECTORS, vector.file)));
    const before = read(path);
    await edit(path, [
      ["new", 'line\n"☃'],
      ["format", "x"],
    ]);
    const after = read(path);
    assert.deepEqual(after.tensors, before.tensors, vector.file);
    const old = (before.metadata ?? []).filter(([key]) => key !== "format");
    assert.deepEqual(new Map(after.metadata), new Map([...old, ["new", 'line\n"☃'], ["format", "x"]]), vector.file);
    await edit(path, [], ["new", "format", ...old.map(([key]) => key)]);
    assert.deepEqual([read(path).metadata, read(path).tensors], [null, before.tensors], vector.file);
    assert.deepEqual(
      [...readFileSync(path).subarray(0, 1)].map((length) => length % 8),
      [0],
    );
  }
});

test("unknown fields, and the order and form of what is not metadata, stay", async () => {
  const one = `"a":{"x":[1, 2],"dtype":"U8","shape":[1],"data_offsets":[0,1]}`;
  const two = `"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}`;
  for (const [text, rest] of [
    [`{ ${one} , "__metadata__":{"k":"v"} , ${two} }`, `${one} ,${two}`],
    [`{"__metadata__":{"k":"v"},${two},${one}}`, `${two},${one}`],
    [`{${two},${one},"__metadata__" : null}`, `${two},${one}`],
    [`{${one},${two}}`, `${one},${two}`],
  ] as const) {
    const path = file(safetensorsBytes(text, Buffer.from([7, 8])));
    await edit(path, [["k", "w"]]);
    assert.equal(
      read(path).text.trimEnd().replaceAll(" ", ""),
      `{"__metadata__":{"k":"w"},${rest}}`.replaceAll(" ", ""),
    );
  }
});

test("nothing is written when nothing changes, and nothing else lies in the folder afterwards", async () => {
  const path = file(safetensorsBytes(`{"__metadata__":{"k":"v"}}`));
  const before = statSync(path);
  assert.deepEqual(await edit(path, [["k", "v"]], ["other"]), { bytes: before.size, changed: false });
  assert.equal(statSync(path).ino, before.ino);
  await edit(path, [["k", "w"]]);
  assert.deepEqual(
    readdirSync(folder).filter((name) => !/^\d+\.safetensors$/.test(name)),
    [],
  );
});

test("permissions stay, and a cancel or a failure leaves the file", async () => {
  const path = file(safetensorsBytes(`{}`));
  chmodSync(path, 0o600);
  await edit(path, [["k", "v"]]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const before = readFileSync(path);
  const stopped = runEditSafetensorsMetadata({ path, set: [["k", "w"]], remove: [] }, { signal: AbortSignal.abort() });
  await assert.rejects(stopped, { code: "cancelled" });
  await assert.rejects(edit(path, [["k", "\ud800"]]), { code: "input.name" });
  assert.deepEqual(readFileSync(path), before);
});

test("a link, a file of a model and a file that changes meanwhile are refused", async () => {
  const path = file(safetensorsBytes(`{}`));
  symlinkSync(path, join(folder, "link.safetensors"));
  assert.match(await refusal(edit(join(folder, "link.safetensors"), [["k", "v"]])), /is a link/);
  mkdirSync(join(folder, "model", "inner"), { recursive: true });
  writeFileSync(join(folder, "model", "model.yaml"), "");
  const inside = join(folder, "model", "inner", "a.safetensors");
  writeFileSync(inside, safetensorsBytes(`{}`));
  assert.match(await refusal(edit(inside, [["k", "v"]])), /belongs to the model/);
  rmSync(join(folder, "link.safetensors"));
  rmSync(join(folder, "model"), { recursive: true });
  const large = file(safetensorsBytes(`{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}`, Buffer.alloc(3)));
  const other = safetensorsBytes(`{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]} }`, Buffer.alloc(3));
  const changing = runEditSafetensorsMetadata(
    { path: large, set: [["k", "v"]], remove: [] },
    { onProgress: () => writeFileSync(large, other) },
  );
  assert.match(await refusal(changing), /changed while it was copied/);
  assert.deepEqual(readFileSync(large), other);
});

test("metadata is prefilled from the file, the labels and the metadata of a model, and no key is lost", () => {
  const metadata = parsePyYaml(
    "accuracy: 0.5\nnote: text\nowner: other\nlist: [1, true, null]\nsteps: 9007199254740993\nformat: flax\n",
  );
  const info = {
    labels: new Map([
      ["owner", "me"],
      ["format", "pt"],
    ]),
    metadata,
  } as Pick<ModelInfo, "labels" | "metadata">;
  assert.deepEqual(
    [...prefilledMetadata(info, new Map([["format", "flax"]]))],
    [
      ["format", "flax"],
      ["owner", "me"],
      ["label.format", "pt"],
      ["accuracy", "0.5"],
      ["note", "text"],
      ["metadata.owner", "other"],
      ["list", "[1,true,null]"],
      ["steps", "9007199254740993"],
    ],
  );
});
