import { ExtData, encode } from "@msgpack/msgpack";
import { fc } from "../fixtures/fastCheck";
import { FLAX_DTYPES } from "../fixtures/flaxTrees";

/** Bytes that one element of a type name takes; of others any. */
const SIZES: Readonly<Record<string, number>> = {
  int32: 4,
  "<f4": 4,
  ">i2": 2,
  "|b1": 1,
  complex128: 16,
  bfloat16: 2,
  int4: 1,
};

const typeName: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...Object.keys(SIZES)) },
  { weight: 2, arbitrary: fc.constantFrom<string>(...FLAX_DTYPES) },
  fc.constantFrom(
    "f4",
    "=u8",
    "<c16",
    "datetime64[ns]",
    "<M8[25s]",
    "<m8",
    "|S4",
    "<U2",
    "|V4",
    "float128",
    "<f16",
    ">c32",
  ),
  fc.constantFrom(
    "",
    "O",
    "object",
    "str",
    "float99",
    "f4,i4",
    "3f4",
    "(2,)i2",
    "d",
    "?",
    "float32 ",
    "FLOAT32",
    "<",
    "int32\0",
  ),
  fc.constantFrom<unknown>(Buffer.from("float32"), null, 5, true, ["f4"], {}),
);

const dimension: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 10, arbitrary: fc.nat({ max: 3 }) },
  fc.constantFrom<unknown>(-1, -2, true, 1.5, null, "2", 2n ** 40n, 2n ** 62n, 2n ** 64n - 1n),
);

const shape: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 12, arbitrary: fc.array(dimension, { maxLength: 3 }) },
  fc.constantFrom<unknown>(2, null, "ab", {}, Array(64).fill(1), Array(65).fill(1)),
);

/** The bytes that fit in most cases, else some others. */
const array: fc.Arbitrary<unknown> = fc
  .record({
    code: fc.constantFrom(1, 1, 1, 3),
    shape,
    typeName,
    off: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, -1),
    data: fc.constantFrom("fit", "fit", "fit", "fit", "text", "none", "long", "pair"),
  })
  .map(({ code, shape: dims, typeName: type, off, data }) => {
    const count = Array.isArray(dims) ? dims.reduce((product: number, dim) => product * Number(dim), 1) : 1;
    const bytes = Math.min(4096, Math.max(0, count * (SIZES[String(type)] ?? 4) + off)) || 0;
    const content = data === "text" ? "a".repeat(bytes) : data === "none" ? null : new Uint8Array(bytes);
    const parts = data === "pair" ? [dims, type] : data === "long" ? [dims, type, content, 1] : [dims, type, content];
    return new ExtData(code, encode(parts, { useBigInt64: true }));
  });

const other: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 1.5, 5, "é", new Uint8Array(3), [], {}, { a: 1 }, [1, [2]]),
  fc
    .tuple(
      fc.constantFrom(2, -1, 7),
      fc.constantFrom<unknown>([1, 2.5], [1], [1, 2, 3], [true, "x"], "ab", {}, [[1], 2], null),
    )
    .map(([code, value]) => new ExtData(code, encode(value))),
  fc
    .tuple(fc.constantFrom(-1, 0, 127, -128), fc.uint8Array({ maxLength: 13 }))
    .map(([code, bytes]) => new ExtData(code, bytes)),
);

function numbered(items: readonly unknown[], slip: string): unknown {
  if (slip === "list") return items;
  const entries = items.map((item, i) => [slip === "gap" && i === items.length - 1 ? String(i + 1) : String(i), item]);
  return { ...Object.fromEntries(entries), ...(slip === "more" ? { x: 1 } : {}) };
}

const slip = fc.oneof({ weight: 8, arbitrary: fc.constant("none") }, fc.constantFrom("gap", "list", "more"));

const int32 = (rows: number, columns: readonly number[]): ExtData =>
  new ExtData(1, encode([[rows, ...columns], "int32", new Uint8Array(columns.reduce((a, b) => a * b, rows * 4))]));

const chunk: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: fc.nat({ max: 2 }).map((rows) => int32(rows, [])) },
  fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 })).map(([rows, columns]) => int32(rows, [columns])),
  array,
  other,
);

const chunked: fc.Arbitrary<unknown> = fc
  .record({
    flag: fc.constantFrom<unknown>(true, false, null),
    chunks: fc.array(chunk, { maxLength: 3 }),
    shape: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.array(dimension, { maxLength: 2 })),
    slips: fc.tuple(slip, slip),
    left: fc.constantFrom("", "", "", "", "shape", "chunks"),
  })
  .map(({ flag, chunks, shape: dims, slips, left }) => {
    const total = chunks.reduce((sum: number, item) => sum + elements(item), 0);
    const map: Record<string, unknown> = {
      __msgpack_chunked_array__: flag,
      shape: numbered(dims ?? [total], slips[0]),
      chunks: numbered(chunks, slips[1]),
    };
    delete map[left];
    return map;
  });

function elements(chunk: unknown): number {
  return chunk instanceof ExtData && typeof chunk.data !== "function" ? Math.floor(chunk.data.length / 4) - 3 : 0;
}

const tree = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 2 },
    { weight: 5, arbitrary: array },
    { weight: 3, arbitrary: chunked },
    { weight: 2, arbitrary: other },
    {
      weight: 2,
      arbitrary: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("tree"), { maxKeys: 3, noNullPrototype: true }),
    },
    fc.array(tie("tree"), { maxLength: 2 }),
  ),
})).tree;

/** Documents near those of flax: right in most parts, with what a careless or a hostile writer could get wrong. */
export const nearFlax: fc.Arbitrary<Buffer> = tree.map((value) => Buffer.from(encode(value, { useBigInt64: true })));
