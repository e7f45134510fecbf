import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { ModelbenchError } from "../../../../src/base/errors";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { arrayValues } from "../../../../src/formats/pickle/arrayValues";
import { readPickleFile } from "../../../../src/formats/pickle/pickleFile";
import { mutant } from "../../../fixtures/failures";
import { BYPASSES, NONE, PAYLOAD, text } from "../../../fixtures/pickleBypasses";
import { runRandom } from "../../../fixtures/random";
import { zipOf } from "../../../fixtures/torchZip";

function verdict(bytes: Uint8Array): string {
  return readPickleFile(bufferReader(bytes)).facts.verdict;
}

function kinds(bytes: Uint8Array): string[] {
  return readPickleFile(bufferReader(bytes)).facts.findings.map(({ kind }) => kind);
}

for (const [name, bytes] of BYPASSES) {
  test(`${name} is dangerous`, () => assert.equal(verdict(bytes), "dangerous"));
}

test("what stands in place of a joblib array is followed as pickle.load would", () => {
  const state = `}(${text("subclass")}N${text("shape")}K\x10\x85${text("order")}${text("C")}${text("dtype")}${text("numpy")}${text("dtype")}\x93${text("u1")}\x89\x88\x87RubX`;
  const wrapper = `\x80\x04${text("joblib.numpy_pickle")}${text("NumpyArrayWrapper")}\x93)\x81`;
  // Sixteen raw bytes without padding that are opcodes for everybody but joblib.
  const raw = "cos\nsystem\n)R0N.";
  const bytes = Buffer.from(`${wrapper}${state.slice(0, -1)}${raw}.`, "latin1");
  const { facts } = readPickleFile(bufferReader(bytes));
  assert.equal(facts.verdict, "dangerous", JSON.stringify(facts));
  assert.ok(facts.imports.some(({ module, name }) => module === "os" && name === "system"));
});

function joblibFile(dtype: string, shape: string, rest: string): Buffer {
  const state = `}(${text("subclass")}N${text("shape")}${shape}${text("order")}${text("C")}${text("dtype")}${text("numpy")}${text("dtype")}\x93${text(dtype)}\x89\x88\x87Rub`;
  const wrapper = `\x80\x04cos\nsystem\nq\x050${text("joblib.numpy_pickle")}${text("NumpyArrayWrapper")}\x93)\x81`;
  return Buffer.from(`${wrapper}${state}${rest}`, "latin1");
}

test("a joblib array is followed however its layout is spelled, by both readers", () => {
  // The objects' pickle breaks on the outer memo for joblib only: pickle.load goes on and calls.
  const objects = readPickleFile(bufferReader(joblibFile("O8", "K\x01\x85", "h\x05)R."))).facts;
  assert.ok(
    objects.findings.some(({ kind }) => kind === "call"),
    JSON.stringify(objects),
  );
  assert.ok(objects.findings.some(({ verdict: found, kind }) => kind === "joblib" && found === "unresolvable"));
  const call = "cposix\nsystem\n)R.";
  for (const [dtype, shape] of [
    ["float64", "K\x01\x85"],
    ["f8", "](K\x01e"],
    ["float64", "](K\x01e"],
  ] as const) {
    const { findings } = readPickleFile(bufferReader(joblibFile(dtype, shape, `N.${"x".repeat(6)}${call}`))).facts;
    assert.ok(
      findings.some(({ kind, message }) => kind === "call" && message.includes("posix.system")),
      dtype,
    );
  }
  assert.ok(kinds(joblibFile("what", "K\x01\x85", "N.")).includes("joblib"));
});

test("an opcode beyond its frame is read both ways", () => {
  // From a file the `o` that is left of the frame may be dropped, and what is imported is something else.
  const bytes = Buffer.from(`\x80\x04\x95\x03\0\0\0\0\0\0\0\x8c\x02osN.`, "latin1");
  assert.ok(kinds(bytes).includes("frame"));
});

test("the arrays of a PyTorch archive are named, and its storages resolve its persistent ids", () => {
  const storage = `(${text("storage")}${text("torch")}${text("FloatStorage")}\x93${text("0")}${text("cpu")}K\x06tQ`;
  const tensor = (shape: string, strides: string, first: string): string =>
    `${text("torch._utils")}${text("_rebuild_tensor_v2")}\x93(${storage}${first}${shape}${strides}\x89NtR`;
  const pickle = `\x80\x04}(${text("fc.weight")}${tensor("K\x02K\x03\x86", "K\x03K\x01\x86", "K\x00")}${text("fc.t")}${tensor("K\x03K\x02\x86", "K\x01K\x03\x86", "K\x00")}${text("last")}${tensor(")", ")", "K\x05")}u.`;
  const values = Buffer.from(Float32Array.of(0, 1, 2, 3, 4, 5).buffer);
  const archive = zipOf([
    ["m/data.pkl", Buffer.from(pickle, "latin1")],
    ["m/data/0", values],
  ]);
  const { facts, arrays } = readPickleFile(bufferReader(archive));
  assert.equal(facts.verdict, "allowed", JSON.stringify(facts));
  assert.deepEqual(
    arrays.map(({ path, shape, dtype }) => [path.join("/"), shape, dtype]),
    [
      ["fc.weight", [2, 3], "float32"],
      ["fc.t", [3, 2], "float32"],
      ["last", [], "float32"],
    ],
  );
  const floats = (index: number, count: number): number[] => {
    const array = arrays[index];
    assert.ok(array);
    return [...new Float32Array(Uint8Array.from(arrayValues(array, "x").read(0, count)).buffer)];
  };
  assert.deepEqual([floats(0, 6), floats(1, 6), floats(2, 1)], [[0, 1, 2, 3, 4, 5], [0, 3, 1, 4, 2, 5], [5]]);
});

test("three gigabytes of raw bytes are skipped unread", () => {
  const head = Buffer.from("\x80\x04\x8e\x00\x00\x00\xc0\x00\x00\x00\x00", "latin1");
  const size = head.length + 0xc0000000 + 1;
  let read = 0;
  const reader = {
    size,
    read(offset: number, length: number): Uint8Array {
      read += length;
      const bytes = Buffer.alloc(length);
      if (offset < head.length) head.copy(bytes, 0, offset);
      if (offset + length === size) bytes[length - 1] = 0x2e;
      return bytes;
    },
  };
  const { facts } = readPickleFile(reader);
  assert.deepEqual([facts.verdict, facts.streams], ["allowed", 1]);
  assert.ok(read < 256 * 1024, String(read));
});

test("more opcodes than are followed are something that cannot be told, with what was found before", () => {
  const bytes = Buffer.concat([PAYLOAD.subarray(0, -1), Buffer.alloc(1_100_000, "0N"), Buffer.from(".")]);
  const { facts } = readPickleFile(bufferReader(bytes));
  assert.equal(facts.verdict, "dangerous");
  assert.ok(facts.findings.some(({ kind, verdict: worst }) => kind === "limit" && worst === "opaque"));
});

test("a damaged archive or pickle is a verdict, whatever is changed in it", () => {
  const random = runRandom();
  const files = BYPASSES.map(([, bytes]) => bytes);
  for (let turn = 0; turn < 2_000; turn++) {
    const bytes = mutant(files[turn % files.length] ?? NONE, random);
    try {
      readPickleFile(bufferReader(bytes));
    } catch (error) {
      const words = `${bytes.toString("hex").slice(0, 400)}`;
      assert.ok(error instanceof ModelbenchError, `${words}: ${error instanceof Error ? error.stack : error}`);
      assert.fail(`${words}: ${error.message}`);
    }
  }
});

test("a deflated member is looked into whole, and a bomb is not unpacked", () => {
  const bomb = zipOf([["archive/data.pkl", Buffer.concat([NONE.subarray(0, 2), Buffer.alloc(200 * 2 ** 20, 0x4e)])]], {
    deflate: true,
  });
  assert.ok(bomb.length < 2 ** 20 && deflateRawSync(NONE).length > 0);
  assert.notEqual(verdict(bomb), "allowed");
});
