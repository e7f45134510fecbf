import * as z from "zod/mini";
import { cellSchema } from "./views";

/*
 * What a page shows of two versions or files that are compared. A page has one comparison, so no request names it. Rows
 * are numbered in the order of the answer to `compare/run`.
 */

const count = z.int().check(z.gte(0));

const sideSchema = z.strictObject({
  /** A tag, or a file's name. */
  name: z.string(),
  kind: z.enum(["file", "model"]),
  format: z.string(),
  bytes: z.number(),
  /** Tensors and other leaves. */
  tensors: count,
});

/** What a side says: text, or what is known of a file. */
const factSchema = z.union([
  z.string(),
  z.strictObject({ format: z.string(), bytes: z.number(), sha256: z.optional(z.string()) }),
]);
/** What a side says: text, or what is known of a file. */
export type FactView = z.infer<typeof factSchema>;

/** Something that both sides say of themselves, differently. */
export const factDifferenceSchema = z.strictObject({
  /** Where it is from, for instance `labels`. */
  part: z.enum([
    "model",
    "labels",
    "metadata",
    "options",
    "context",
    "format",
    "signatures",
    "fileMetadata",
    "onnx",
    "pickle",
    "files",
  ]),
  /** For instance `stage`; `content` of files that are compared by themselves. */
  key: z.string(),
  change: z.enum(["added", "removed", "changed"]),
  /** `null` when it was added. */
  a: z.nullable(factSchema),
  /** `null` when it was removed. */
  b: z.nullable(factSchema),
});
/** Something that both sides say of themselves, differently. */
export type FactDifferenceView = z.infer<typeof factDifferenceSchema>;

const countsSchema = z.strictObject({
  equal: count,
  added: count,
  removed: count,
  moved: count,
  reshaped: count,
  recast: count,
  kind: count,
  values: count,
  unreadable: count,
});

/** What a comparison found, but the tensors one by one. */
export const comparisonSchema = z.strictObject({
  a: sideSchema,
  b: sideSchema,
  /** Nothing at all differs. */
  same: z.boolean(),
  facts: z.array(factDifferenceSchema),
  /** Differences beyond those that are listed. */
  moreFacts: count,
  counts: countsSchema,
  /** Rows that `compare/rows` has. */
  rows: count,
  /** Tensors that differ beyond those. */
  moreRows: count,
  warnings: z.array(z.string()),
});
/** What a comparison found, but the tensors one by one. */
export type ComparisonView = z.infer<typeof comparisonSchema>;

const headSchema = z.strictObject({ name: z.string(), dtype: z.string(), shape: z.array(count), bytes: z.number() });

/** How a tensor changed. */
const tensorChangeSchema = z.enum(["added", "removed", "moved", "reshaped", "recast", "kind", "values"]);
/** A tensor that is not the same on both sides. */
export const differenceRowSchema = z.strictObject({
  changes: z.array(tensorChangeSchema),
  a: z.nullable(headSchema),
  b: z.nullable(headSchema),
  /** `null` when values were not compared. */
  values: z.nullable(
    z.strictObject({
      count,
      differing: count,
      nan: count,
      /** `null` for text. */
      maxAbs: z.nullable(cellSchema),
      maxRel: z.nullable(cellSchema),
      norm: z.nullable(cellSchema),
      worst: z.nullable(z.strictObject({ index: z.array(count), a: cellSchema, b: cellSchema })),
    }),
  ),
  /** What a leaf that is no array says on each side. */
  leaf: z.nullable(z.strictObject({ a: z.string(), b: z.string() })),
  /** Why values were not compared. */
  reason: z.nullable(z.string()),
  near: z.array(z.string()),
  /** Whether units in the last place can be counted. */
  hasUlps: z.boolean(),
});
/** A tensor that is not the same on both sides. */
export type DifferenceRow = z.infer<typeof differenceRowSchema>;

/** Most rows of one answer. */
export const COMPARE_PART = 200;

/** Parameters and result of every request about a comparison. */
export const compareRequestSchemas = {
  "compare/run": [z.strictObject({ again: z.boolean() }), comparisonSchema],
  "compare/rows": [
    z.strictObject({ start: count, count: z.int().check(z.gte(1), z.lte(COMPARE_PART)) }),
    z.strictObject({ rows: z.array(differenceRowSchema) }),
  ],
  "compare/ulps": [z.strictObject({ row: count }), z.strictObject({ counts: z.array(count), nan: count })],
} as const;

type Schemas = typeof compareRequestSchemas;

/** Every request about the comparison of a page, `[parameters, result]`. */
export interface CompareRequests {
  /** Compares, or answers with what was found; `compare/progress` says how far it is. Cancelled, it ends the work. */
  "compare/run": [z.infer<Schemas["compare/run"][0]>, ComparisonView];
  /** A part of the tensors that differ; it may be shorter than asked for. */
  "compare/rows": [z.infer<Schemas["compare/rows"][0]>, { rows: DifferenceRow[] }];
  /**
   * Reads both tensors of a row once more: `counts[0]` values are equal, `counts[k]` are 2^(k-1) to 2^k - 1 steps of
   * their type apart.
   */
  "compare/ulps": [z.infer<Schemas["compare/ulps"][0]>, z.infer<Schemas["compare/ulps"][1]>];
}

/** How far a comparison is. */
export const compareProgressSchema = z.strictObject({ doneBytes: z.number(), totalBytes: z.nullable(z.number()) });
/** How far a comparison is. */
export type CompareProgress = z.infer<typeof compareProgressSchema>;
