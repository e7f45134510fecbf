import assert from "node:assert/strict";
import { test } from "node:test";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { readPickleFile } from "../../../../src/formats/pickle/pickleFile";
import { text } from "../../../fixtures/pickleBypasses";
import { withEnd64, zipOf } from "../../../fixtures/torchZip";

/** A tensor of three elements of the storage "0". */
const TENSOR = `${text("torch._utils")}${text("_rebuild_tensor_v2")}\x93((${text("storage")}${text("torch")}${text("FloatStorage")}\x93${text("0")}${text("cpu")}K\x03tQK\x00K\x03\x85K\x01\x85\x89NtR`;
const PICKLE = Buffer.from(`\x80\x02}${text("w")}${TENSOR}s.`, "latin1");
const VALUES = Buffer.from(Float32Array.of(1, 2, 3).buffer);

function archive(more: readonly (readonly [string, Buffer])[] = []): Buffer {
  return zipOf([["m/data.pkl", PICKLE], ...more, ["m/data/0", VALUES]]);
}

test("an archive as PyTorch writes it, with a zip64 end record that nothing asks for, is whole", () => {
  const { facts, arrays } = readPickleFile(bufferReader(withEnd64(archive())));
  assert.deepEqual([facts.verdict, facts.findings.filter(({ verdict }) => verdict !== "allowed")], ["allowed", []]);
  assert.deepEqual(
    arrays.map(({ path, shape }) => [path, shape]),
    [[["w"], [3]]],
  );
});

test("end records that send readers to different directories are told", () => {
  const zip = archive();
  const truth = zip.readUInt32LE(zip.length - 6);
  for (const bytes of [withEnd64(zip, truth - 1), withEnd64(zip, undefined, 0)]) {
    const { facts } = readPickleFile(bufferReader(bytes));
    assert.equal(facts.verdict, "malformed");
    assert.ok(facts.findings.some(({ kind, message }) => kind === "directory" && /contradict/.test(message)));
  }
});

test("raw values that begin with the code of an extension are no pickle, and one that goes on is", () => {
  const storage = (content: string) => {
    const bytes = zipOf([
      ["m/data.pkl", PICKLE],
      ["m/data/0", VALUES],
      ["m/data/1", Buffer.from(content, "latin1")],
    ]);
    return readPickleFile(bufferReader(bytes)).facts.verdict;
  };
  for (const raw of ["\x82\xaa\xa7\xbe", "\x84\x8c\x66\x3f\x4a\x06", "\x82\x01\x83\x03\x02\xd0", "\x80\x04\x3f\x00"]) {
    assert.equal(storage(raw), "allowed", JSON.stringify(raw));
  }
  assert.equal(storage("\x82\x01)R."), "unresolvable");
  assert.equal(storage("\x82\x010cos\nsystem\n\xff"), "dangerous");
});

function named(pickle: string, more: readonly (readonly [string, Buffer])[] = []) {
  const bytes = zipOf([["m/data.pkl", Buffer.from(`\x80\x02${pickle}.`, "latin1")], ...more, ["m/data/0", VALUES]]);
  return readPickleFile(bufferReader(bytes));
}

test("a tensor that stands under several names is listed under each, also as a parameter", () => {
  const parameter = `${text("torch._utils")}${text("_rebuild_parameter")}\x93(${TENSOR}q\x07\x88NtR`;
  const { arrays } = named(`}(${text("a")}${parameter}q\x08${text("b")}h\x08${text("c")}h\x07${text("d")}](h\x07eu`);
  assert.deepEqual(
    arrays.map(({ path, shape }) => [path.join("/"), shape]),
    ["a", "b", "c", "d/0"].map((path) => [path, [3]]),
  );
});
