import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { arrayValues } from "../../../../src/formats/pickle/arrayValues";
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

test("the sources of TorchScript are no pickles, and a pickle that is called like one is", () => {
  const source = "class Net(Module):\n  __parameters__ = []\n  def forward(self) -> Tensor:\n    return x\n";
  const { imports, verdict } = named("}", [["m/code/__torch__.py", Buffer.from(source)]]).facts;
  assert.deepEqual([imports, verdict], [[], "allowed"]);
  const hidden = named("}", [["m/code/__torch__.py", Buffer.from("cos\nsystem\n(S'id'\ntR.")]]).facts;
  assert.equal(hidden.verdict, "dangerous");
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

function values(content: ReturnType<typeof named>): number[] {
  const [array] = content.arrays;
  assert.ok(array);
  return [...new Float32Array(Uint8Array.from(arrayValues(array, "w").read(0, 3)).buffer)];
}

test("storages are in the byte order that stands beside the pickle", () => {
  const turned = Buffer.from(VALUES).swap32();
  const archiveOf = (order: string, content: Buffer) =>
    readPickleFile(
      bufferReader(
        zipOf([
          ["m/data.pkl", PICKLE],
          ["m/byteorder", Buffer.from(order)],
          ["m/data/0", content],
        ]),
      ),
    );
  assert.deepEqual(values(archiveOf("big", turned)), [1, 2, 3]);
  assert.deepEqual(values(archiveOf("little", VALUES)), [1, 2, 3]);
});

/** The tensor with more behind its hooks, and what else the call may be. */
function rebuilt(name: string, more: string, before = "\x89N"): string {
  const storage = TENSOR.slice(TENSOR.indexOf("("), TENSOR.indexOf("\x89"));
  return `${text("torch._utils")}${text(name)}\x93${storage}${before}${more}tR`;
}

test("a conjugated or negated view is listed, and its stored values are not taken for its own", () => {
  for (const bit of ["conj", "neg"]) {
    const found = named(rebuilt("_rebuild_tensor_v2", `}${text(bit)}\x88s`));
    assert.equal(found.arrays.length, 1);
    assert.throws(
      () => values(found),
      (error) => error instanceof ModelbenchError && error.code === "tensor.unreadable",
    );
  }
});

test("quantized tensors and those of classes of their own are listed, with the verdict of PyTorch's own list", () => {
  const quantized = `${rebuilt("_rebuild_qtensor", "", `(${text("torch")}${text("per_tensor_affine")}\x93G${"\0".repeat(8)}K\x03t\x89N`)}`;
  const found = named(quantized.replace("FloatStorage", "QInt8Storage"));
  assert.equal(found.facts.verdict, "allowed", JSON.stringify(found.facts));
  assert.deepEqual(
    found.arrays.map(({ dtype, nativeDtype, shape }) => [dtype, nativeDtype, shape]),
    [[null, "qint8", [3]]],
  );
  const call = TENSOR.slice(0, -1).replace("\x93(", "\x93ctorch\nTensor\n(");
  const own = named(`${text("torch._tensor")}${text("_rebuild_from_type_v2")}\x93(${call}}tR`);
  assert.equal(own.facts.verdict, "allowed", JSON.stringify(own.facts));
  assert.deepEqual(values(own), [1, 2, 3]);
});

test("what TorchScript archives call by name gives back what it is given", () => {
  assert.equal(named("ctorch.jit._pickle\nbuild_intlist\n](K\x01e\x85R").facts.verdict, "allowed");
  assert.equal(named("ctorch.jit._script\nload\n)R").facts.verdict, "dangerous");
});
