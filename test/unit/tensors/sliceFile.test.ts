import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { bufferReader } from "../../../src/formats/bufferReader";
import { decodeElements, encodeStrings } from "../../../src/formats/elements";
import { parseExactJson } from "../../../src/formats/jsonExact";
import { readNpy } from "../../../src/formats/npy";
import type { Tensor } from "../../../src/formats/tensor";
import { memoryData } from "../../../src/formats/tensorData";
import { type SliceFormat, sliceFile } from "../../../src/tensors/sliceFile";
import type { TensorView, ViewRange } from "../../../src/tensors/view";

function written(tensor: Tensor, format: SliceFormat, view?: TensorView, range?: ViewRange): Buffer {
  const pieces = Array.from(sliceFile(memoryData(tensor), format, view, range), (piece) => Buffer.from(piece));
  return Buffer.concat(pieces);
}

function floats(values: readonly number[], shape: readonly number[]): Tensor {
  return { dtype: "float32", shape, data: new Uint8Array(Float32Array.from(values).buffer) };
}

const counted = (count: number) => Array.from({ length: count }, (_, i) => i);

suite("a slice in a file", () => {
  test("is CSV with a line for each row, texts quoted", () => {
    const values = floats([1, -0, Number.NaN, 0.1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], [2, 3]);
    assert.equal(written(values, "csv").toString(), "1,-0,NaN\r\n0.10000000149011612,Infinity,-Infinity\r\n");
    assert.equal(
      written({ ...values, shape: [6] }, "csv")
        .toString()
        .split("\r\n").length,
      7,
    );
    const view = { rowAxis: 1, columnAxis: 0, fixed: [0, 0] };
    const range = { rowStart: 1, rowCount: 2, columnStart: 0, columnCount: 2 };
    assert.equal(written(values, "csv", view, range).toString(), "-0,Infinity\r\nNaN,-Infinity\r\n");
    const texts = encodeStrings(["a,b", 'say "x"', "two\r\nlines", "é"]);
    assert.equal(
      written({ dtype: "string", shape: [2, 2], data: texts }, "csv").toString(),
      '"a,b","say ""x"""\r\n"two\r\nlines",é\r\n',
    );
  });

  test("is strict JSON of nested lists with every value exact", () => {
    const values = floats([1, -0, Number.NaN, Number.NEGATIVE_INFINITY], [2, 1, 2]);
    assert.equal(written(values, "json").toString(), '[[[1,-0]],\n[["NaN","-Infinity"]]]\n');
    const longs = {
      dtype: "int64",
      shape: [2],
      data: new Uint8Array(BigInt64Array.of(2n ** 62n, -1n).buffer),
    } as const;
    assert.deepEqual(parseExactJson(written(longs, "json").toString()), [2n ** 62n, -1]);
    assert.equal(written(floats([7], []), "json").toString(), "7\n");
    const complex = {
      dtype: "complex64",
      shape: [1],
      data: new Uint8Array(Float32Array.of(1, Number.NaN).buffer),
    } as const;
    assert.deepEqual(JSON.parse(written(complex, "json").toString()), [{ re: 1, im: "NaN" }]);
    for (const [shape, text] of [
      [[0], "[]"],
      [[2, 0, 3], "[[],[]]"],
      [[0, 2], "[]"],
    ] as const) {
      assert.equal(written(floats([], shape), "json").toString(), `${text}\n`);
    }
    assert.throws(() => written(floats([], [2 ** 40, 0]), "json"), { code: "budget.exceeded" });
  });

  test("is the same by pieces as at once, for any size and direction", () => {
    const [rows, columns] = [700, 900];
    const tensor: Tensor = {
      dtype: "int32",
      shape: [rows, columns],
      data: new Uint8Array(Int32Array.from(counted(rows * columns)).buffer),
    };
    const pieces = [...sliceFile(memoryData(tensor), "npy")];
    assert.ok(pieces.length > 3, `${pieces.length} pieces`);
    const whole = readNpy(bufferReader(written(tensor, "npy")));
    assert.deepEqual([whole.shape, Buffer.compare(whole.data, tensor.data)], [[rows, columns], 0]);
    const turned = readNpy(bufferReader(written(tensor, "npy", { rowAxis: 1, columnAxis: 0, fixed: [0, 0] })));
    assert.deepEqual(turned.shape, [columns, rows]);
    const elements = decodeElements(turned);
    assert.ok(elements.every((value, i) => value === (i % rows) * columns + Math.floor(i / rows)));
    const parsed = JSON.parse(written(tensor, "json").toString());
    assert.equal(parsed.length, rows);
    assert.deepEqual(parsed.flat(), counted(rows * columns));
    const lines = written(tensor, "csv", { rowAxis: 1, columnAxis: 0, fixed: [0, 0] })
      .toString()
      .split("\r\n");
    assert.equal(
      lines[899],
      counted(rows)
        .map((row) => row * columns + 899)
        .join(","),
    );
  });

  test("is read by bands where values lie far apart", () => {
    const shape = [30, 40, 600];
    const tensor: Tensor = { dtype: "int32", shape, data: new Uint8Array(Int32Array.from(counted(720_000)).buffer) };
    const plane = readNpy(bufferReader(written(tensor, "npy", { rowAxis: 1, columnAxis: 0, fixed: [0, 0, 5] })));
    assert.deepEqual(plane.shape, [40, 30]);
    assert.ok(decodeElements(plane).every((value, i) => value === (i % 30) * 24_000 + Math.floor(i / 30) * 600 + 5));
  });

  test("holds texts and narrow types as numpy can read them", () => {
    const texts = encodeStrings(["a", "", "longer"]);
    const back = readNpy(bufferReader(written({ dtype: "string", shape: [3], data: texts }, "npy")));
    assert.deepEqual(decodeElements(back), ["a", "", "longer"]);
    const narrow = readNpy(
      bufferReader(written({ dtype: "bfloat16", shape: [2], data: Uint8Array.of(0x80, 0x3f, 0xcd, 0x3d) }, "npy")),
    );
    assert.deepEqual([narrow.dtype, decodeElements(narrow)], ["float32", [1, 0.10009765625]]);
  });
});
