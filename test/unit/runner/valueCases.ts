import { elementCount, encodeStrings, itemSize } from "../../../src/formats/elements";
import type { DType, Tensor } from "../../../src/formats/tensor";
import type { RunValue } from "../../../src/runner/values";
import { fc } from "../../fixtures/fastCheck";

/** Element types of every width, the variable one included. */
export const dtypes: readonly DType[] = [
  "bool",
  "int4",
  "uint8",
  "int16",
  "float16",
  "float32",
  "int64",
  "complex128",
  "string",
];

/** A tensor whose values follow from the seed. */
export function filled(dtype: DType, shape: readonly number[], seed: number): Tensor {
  const count = elementCount(shape);
  if (dtype === "string") {
    const texts = Array.from({ length: count }, (_, i) => "é".repeat((seed + i) % 4) + i);
    return { dtype, shape, data: encodeStrings(texts) };
  }
  const size = itemSize(dtype) ?? 0;
  return { dtype, shape, data: Uint8Array.from({ length: count * size }, (_, i) => (i * 7 + seed) % 120) };
}

/** Values that may share a batch: `make` gives one of so many rows along `axis`. */
export interface ValueKind {
  readonly axis: number;
  readonly make: (rows: number, seed: number) => RunValue;
}

const tensors = fc
  .record({
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
    pick: fc.nat(3),
  })
  .map(({ dtype, shape, pick }): ValueKind => {
    const axis = pick % shape.length;
    return {
      axis,
      make: (rows, seed) =>
        filled(
          dtype,
          shape.map((dim, i) => (i === axis ? rows : dim)),
          seed,
        ),
    };
  });

const lists = fc.array(fc.jsonValue(), { minLength: 1, maxLength: 4 }).map(
  (pool): ValueKind => ({
    axis: 0,
    make: (rows, seed) => ({
      container: "list",
      items: Array.from({ length: rows }, (_, i) => [seed + i, pool[(seed + i) % pool.length]]),
    }),
  }),
);

const frames = fc.array(fc.constantFrom(...dtypes), { minLength: 1, maxLength: 3 }).map(
  (kinds): ValueKind => ({
    axis: 0,
    make: (rows, seed) => ({
      container: "dataframe",
      columns: kinds.map((dtype, i) => [`column ${i}`, filled(dtype, [rows], seed + i)]),
    }),
  }),
);

/** Values of any container, and a few numbers of rows. */
export const valuesOfOneKind = fc
  .tuple(fc.oneof(tensors, lists, frames), fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }))
  .map(([kind, counts]) => ({ ...kind, counts }));
