import assert from "node:assert/strict";
import { test } from "node:test";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { arrayValues } from "../../../../src/formats/pickle/arrayValues";
import { readPickleFile } from "../../../../src/formats/pickle/pickleFile";
import { failsWith } from "../../../fixtures/failures";

// Protocols below 3, which PyTorch's archives still have, know no bytes: the values of an array are letters of a text.

/** `{"w": array([1.5, -2, 200.25]), "e": zeros((0, 2), "f4"), "s": float32(2.5)}` by numpy 1.23, protocol 2. */
const PYTHON_3 =
  "gAJ9cQAoWAEAAAB3cQFjbnVtcHkuY29yZS5tdWx0aWFycmF5Cl9yZWNvbnN0cnVjdApxAmNudW1weQpuZGFycmF5CnEDSwCFcQRjX2NvZGVjcwplbmNvZGUKcQVYAQAAAGJxBlgGAAAAbGF0aW4xcQeGcQhScQmHcQpScQsoSwFLA4VxDGNudW1weQpkdHlwZQpxDVgCAAAAZjhxDomIh3EPUnEQKEsDWAEAAAA8cRFOTk5K/////0r/////SwB0cRJiiWgFWBoAAAAAAAAAAADDuD8AAAAAAAAAw4AAAAAAAAhpQHETaAeGcRRScRV0cRZiWAEAAABlcRdoAmgDSwCFcRhoCYdxGVJxGihLAUsASwKGcRtoDVgCAAAAZjRxHImIh3EdUnEeKEsDaBFOTk5K/////0r/////SwB0cR9iiWNfX2J1aWx0aW5fXwpieXRlcwpxIClScSF0cSJiWAEAAABzcSNjbnVtcHkuY29yZS5tdWx0aWFycmF5CnNjYWxhcgpxJGgeaAVYBAAAAAAAIEBxJWgHhnEmUnEnhnEoUnEpdS4=";
/** `{"w": array([1.5, -2, 200.25])}` by numpy 1.16 in Python 2.7, protocol 2. */
const PYTHON_2 =
  "gAJ9cQFVAXdjbnVtcHkuY29yZS5tdWx0aWFycmF5Cl9yZWNvbnN0cnVjdApxAmNudW1weQpuZGFycmF5CnEDSwCFVQFih1JxBChLAUsDhWNudW1weQpkdHlwZQpxBVUCZjhLAEsBh1JxBihLA1UBPE5OTkr/////Sv////9LAHRiiVUYAAAAAAAA+D8AAAAAAAAAwAAAAAAACGlAdGJzLg==";

function arraysOf(bytes: Uint8Array) {
  return readPickleFile(bufferReader(bytes)).arrays;
}

function valuesOf(bytes: Uint8Array): Record<string, readonly number[]> {
  const named = arraysOf(bytes).map((array) => {
    const data = Buffer.concat([...arrayValues(array, "w").stored()]);
    const width = array.dtype === "float64" ? 8 : 4;
    const values = Array.from({ length: data.length / width }, (_, i) =>
      width === 8 ? data.readDoubleLE(8 * i) : data.readFloatLE(4 * i),
    );
    return [array.path.join("/"), values] as const;
  });
  return Object.fromEntries(named);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** An array of bytes by its state, as numpy writes it. @param stored opcodes of its values */
function array(count: number, stored: readonly Uint8Array[]): Buffer {
  const made = "\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R";
  const type = "cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb";
  const parts = [made, "(K\x01J", u32(count), "\x85", type, "\x89", ...stored, "tb."];
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
}

function encoded(text: string, encoding = "latin1"): Buffer[] {
  const utf8 = Buffer.from(text);
  const name = Buffer.from(encoding);
  return [
    Buffer.from("c_codecs\nencode\nX"),
    u32(utf8.length),
    utf8,
    Buffer.from("X"),
    u32(name.length),
    name,
    Buffer.from([0x86, 0x52]),
  ];
}

/** Every byte, more of them than a text that is held has. */
const LONG = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 256));

test("arrays of protocol 2 have the values that numpy wrote, by Python 3 and Python 2", () => {
  assert.deepEqual(valuesOf(Buffer.from(PYTHON_3, "base64")), { w: [1.5, -2, 200.25], e: [], s: [2.5] });
  assert.deepEqual(valuesOf(Buffer.from(PYTHON_2, "base64")), { w: [1.5, -2, 200.25] });
});

test("long texts are the bytes of their arrays, too", () => {
  const files = [
    array(LONG.length, encoded(LONG.toString("latin1"))),
    array(LONG.length, [Buffer.from("T"), u32(LONG.length), LONG]),
  ];
  for (const file of files) {
    const [found] = arraysOf(file);
    assert.ok(found);
    assert.equal(found.fileOffset, null);
    assert.deepEqual(Buffer.concat([...arrayValues(found, "w").stored()]), LONG);
  }
});

test("a text that is not the bytes of the array makes none", () => {
  assert.deepEqual(arraysOf(array(2, encoded("ab", "utf-8"))), []);
  assert.deepEqual(arraysOf(array(2, encoded("abc"))), []);
  assert.deepEqual(arraysOf(array(1, encoded("\u0100"))), []);
  assert.deepEqual(arraysOf(array(1000, encoded("x".repeat(100_000)))), []);
  // Of a long one that is known when its values are asked for.
  for (const text of ["\u0100".repeat(50_000) + "x".repeat(50_000), "é".repeat(40_000) + "x".repeat(40_000)]) {
    const [found] = arraysOf(array(100_000, encoded(text)));
    assert.ok(found);
    failsWith("tensor.unreadable", () => [...arrayValues(found, "w").stored()]);
  }
});
