import assert from "node:assert/strict";
import { test } from "node:test";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { readPickleFile } from "../../../../src/formats/pickle/pickleFile";

// joblib takes the bytes of an array from the file, in places and numbers that a file may lie about: each of these is
// executed by joblib.load, while a reader that takes the array for shorter or longer sees nothing but bytes.

function latin(value: string): Buffer {
  return Buffer.from(value, "latin1");
}

function u32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString("latin1");
}

function text(value: string): string {
  return `X${u32(value.length)}${value}`;
}

const WRAPPER = "cjoblib.numpy_pickle\nNumpyArrayWrapper\n";
const CALL = "0cos\ngetpid\n)R.";
/** Five bytes of an array for joblib; for others an opcode that swallows the call. */
const HIDDEN = `B${u32(CALL.length)}${CALL}0N.`;

function dtype(name: string, state = ""): string {
  return `cnumpy\ndtype\n${text(name)}\x89\x88\x87R${state}`;
}

function typeState(elsize: string, flags = "K\x00"): string {
  return `(K\x03${text("|")}NNN${elsize}K\x01${flags}tb`;
}

function layout(type: string, count: number, more = ""): string {
  const keys = `${text("subclass")}cnumpy\nndarray\n${text("shape")}K${String.fromCharCode(count)}\x85`;
  return `}(${keys}${text("order")}${text("C")}${text("dtype")}${type}${text("allow_mmap")}\x89${more}u`;
}

const PLAIN = `${layout(dtype("u1"), 5)}b`;

function factsOf(body: string) {
  return readPickleFile(bufferReader(latin(`\x80\x04${body}`))).facts;
}

function frame(body: string): string {
  return `\x95${u32(body.length)}\0\0\0\0${body}`;
}

/** Whether joblib's reading is followed, and whether it is said that the file is not one that joblib writes. */
function seen(body: string): readonly [calls: boolean, isUnclear: boolean] {
  const { imports, findings } = factsOf(body);
  const isUnclear = findings.some(({ verdict, kind }) => kind === "joblib" && verdict === "unresolvable");
  return [imports.some(({ module, name }) => module === "os" && name === "getpid"), isUnclear];
}

test("the shape that joblib writes is followed without doubt", () => {
  const usual: readonly string[] = [
    `${WRAPPER})\x81${PLAIN}${HIDDEN}`,
    frame(`${WRAPPER})\x81${PLAIN}`) + HIDDEN,
    `${WRAPPER})\x81${layout(dtype("S5", typeState("K\x05")), 1)}b${HIDDEN}`,
    `${WRAPPER})\x81${layout(dtype("i1", typeState("J\xff\xff\xff\xff")), 5)}b${HIDDEN}`,
    `${WRAPPER})\x81${layout(dtype("u1"), 3, `${text("numpy_array_alignment_bytes")}K\x10`)}b\x01\xff${HIDDEN.slice(2)}`,
  ];
  for (const body of usual.slice(0, 4)) assert.deepEqual(seen(body), [true, false], JSON.stringify(body));
  assert.equal(seen(usual[4] ?? "")[1], false);
});

test("bytes are taken from behind the frame, and then the frame is read on", () => {
  const body = frame(`${WRAPPER})\x81${PLAIN}N0N0N`);
  assert.deepEqual(seen(body + HIDDEN), [true, true]);
  // Two arrays in one frame lie one behind the other.
  const two = frame(`${WRAPPER})\x81${PLAIN}0${WRAPPER})\x81${PLAIN}N`);
  assert.deepEqual(seen(`${two}B${u32(5 + CALL.length)}B${u32(CALL.length)}${CALL}0N.`), [true, true]);
});

test("the objects of an array end with their frame, whatever is left of it", () => {
  const objects = `${WRAPPER})\x81${layout(dtype("O8", typeState("J\xff\xff\xff\xff", "K\x3f")), 1)}b`;
  assert.deepEqual(seen(`${objects}\x80\x04${frame(`N.B${u32(CALL.length)}`)}${CALL}0N.`), [true, false]);
});

test("the width of a type is what its state says where numpy obeys it", () => {
  for (const name of ["V0", "V1", "S1", "U9"]) {
    const body = `${WRAPPER})\x81${layout(dtype(name, typeState("K\x05")), 1)}b${HIDDEN}`;
    assert.deepEqual(seen(body), [true, true], name);
  }
});

test("a letter without digits has its width, or none that is told", () => {
  // Eight bytes for joblib, of which three are opcodes.
  const rest = `N0N${HIDDEN}`;
  assert.deepEqual(seen(`${WRAPPER})\x81${layout(dtype("d"), 1)}b${rest}`), [true, false]);
  for (const name of ["l", "p", "g", "what", "f3"]) {
    assert.equal(seen(`${WRAPPER})\x81${layout(dtype(name), 1)}b${rest}`)[1], true, name);
  }
});

test("a wrapper that is made in another way is followed in both ways, and said", () => {
  const made: readonly string[] = [
    `ccopyreg\n_reconstructor\n${WRAPPER}cbuiltins\nobject\nN\x87R`,
    `ccopyreg\n__newobj__\n${WRAPPER}\x85R`,
    `(ccopyreg\n__newobj__\n${WRAPPER}o`,
    `cbuiltins\ntype\n${text("Y")}${WRAPPER}\x85}\x87R)\x81`,
    `cbuiltins\ntype\n${text("Y")}(${WRAPPER}t}\x87R)\x81`,
    `${text("joblib")}${text("numpy_pickle.NumpyArrayWrapper")}\x93)\x81`,
  ];
  for (const wrapper of made) {
    assert.deepEqual(seen(`${wrapper}${PLAIN}${HIDDEN}`), [true, true], JSON.stringify(wrapper));
    // Followed as pickle.load would, the bytes are opcodes.
    const other = `${wrapper}${PLAIN}0N0N0cos\ngetpid\n)R.`;
    assert.deepEqual(seen(other), [true, true], JSON.stringify(wrapper));
  }
});

test("a wrapper from a call with arguments has the alignment of its constructor", () => {
  const init = `${WRAPPER}(cnumpy\nndarray\nK\x01\x85${text("C")}${dtype("u1")}tR`;
  const swallowed = `N${CALL}`;
  const rest = `\x05B${u32(swallowed.length)}${swallowed}0N.`;
  assert.deepEqual(seen(`${init}${layout(dtype("u1"), 1)}b${rest}`), [true, true]);
});

test("the wrapper in other hands cannot be told", () => {
  const bodies = [`]${WRAPPER}a.`, `(${WRAPPER}l.`, `}${text("x")}${WRAPPER}s.`, `cfoo\nbar\n)R${WRAPPER}b.`];
  for (const body of bodies) assert.equal(factsOf(body).verdict, "unresolvable", JSON.stringify(body));
});

test("a second state of a wrapper cannot be told: the first one still counts", () => {
  const first = `${WRAPPER})\x81q\x00${layout(dtype("u1"), 0)}b0`;
  assert.deepEqual(seen(`${first}h\x00${PLAIN}${HIDDEN}`), [true, true]);
});

test("an array of objects in a model makes no name computed for a reader that knows nothing of it", () => {
  const utf8 = (value: string): string => `\x8c${String.fromCharCode(value.length)}${value}\x94`;
  // joblib gives the objects a pickle of their own, whose memo counts from the beginning: its third entry is a text.
  const inner = `\x80\x05${utf8("numpy")}${utf8("x")}${utf8("y")}000${utf8("numpy")}h\x00${utf8("dtype")}\x930N.`;
  const model = (make: string): string => {
    // Of the outer memo the first entry is what `make` leaves.
    const head = `cpkg\nModel\n${make}\x94`;
    return `${head}${WRAPPER})\x81${layout(dtype("O8"), 1)}b${inner}.`;
  };
  const isComputed = (make: string): boolean => factsOf(model(make)).imports.some(({ module }) => module === null);
  for (const make of [")\x81", "0cpkg\nModel\nq\x05)\x810h\x05"]) assert.equal(isComputed(make), false, make);
  // What a call returns, or is made of something, may be a text, and so may what is only imported.
  for (const make of [")R", `${text("os")}\x85\x81`, ""]) assert.equal(isComputed(make), true, make);
});

test("values that ask for an object as an opcode would are no doubt, but what comes of it is", () => {
  const asking = (values: string): string => `${WRAPPER})\x81${layout(dtype("u1"), values.length)}b${values}.`;
  // As joblib before 1.2 writes it, without padding: of such arrays one of 256 began with `Q`.
  assert.equal(factsOf(asking("Q\xff\xff\xff")).verdict, "unknown");
  assert.equal(factsOf(asking("P1\n\xff")).verdict, "unknown");
  assert.equal(factsOf(asking("\x82\x01\xff")).verdict, "unknown");
  assert.equal(factsOf(asking("P1\n)R\xff")).verdict, "unknown");
  assert.equal(factsOf(asking("P1\n.")).verdict, "unresolvable");
  assert.equal(factsOf(asking("P1\n)R.")).verdict, "unresolvable");
  assert.equal(factsOf(asking("P1\ncos\ngetpid\n\xff")).verdict, "dangerous");
  assert.ok(factsOf(asking("P1\ncpkg\nName\n\xff")).findings.some(({ kind }) => kind === "persid"));
});
