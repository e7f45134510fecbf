import * as z from "zod/mini";
import { cellSchema, cellsSchema, errorViewSchema, methodViewSchema, onnxViewSchema, rowSchema } from "./views";

/*
 * What a page shows of the content of its subject, a model or a file, read by headers; and how it reads values. A page
 * has one subject, so no request names it. A tensor is named by its number in file order.
 */

const count = z.int().check(z.gte(0));
/** What was found in a pickle, from the worst to the best. */
export const verdictSchema = z.enum(["dangerous", "code", "unresolvable", "unknown", "malformed", "opaque", "allowed"]);

/** What looking at pickles found; nothing of them was executed. */
export const pickleViewSchema = z.strictObject({
  verdict: verdictSchema,
  streams: count,
  imports: z.array(
    z.strictObject({
      module: z.string(),
      name: z.string(),
      class: z.enum(["allowed", "unknown", "code", "dangerous"]),
      /** Of its first use, in the file or in `member`. */
      offset: z.number(),
      member: z.nullable(z.string()),
    }),
  ),
  /** Imports beyond those that are listed. */
  moreImports: count,
  findings: z.array(
    z.strictObject({
      verdict: verdictSchema,
      kind: z.string(),
      message: z.string(),
      offset: z.number(),
      member: z.nullable(z.string()),
    }),
  ),
  /** Findings beyond those that are listed. */
  moreFindings: count,
});
/** What looking at pickles found; nothing of them was executed. */
export type PickleView = z.infer<typeof pickleViewSchema>;

/** What the headers of a model's files, or of one file, say together; long texts and lists are cut. */
export const contentViewSchema = z.strictObject({
  /** For instance `safetensors`; of a model the format of the file that its framework runs. */
  format: z.string(),
  bytes: z.number(),
  files: z.array(
    z.strictObject({ path: z.string(), bytes: z.number(), format: z.string(), pickle: z.nullable(verdictSchema) }),
  ),
  /** Files beyond those that are listed. */
  moreFiles: count,
  /** Another one as soon as one of the files was written to; `null` where it is not known. */
  stamp: z.nullable(z.string()),
  tensorCount: count,
  /** Elements of all tensors together. */
  parameters: z.number(),
  /** Bytes of all tensors together. */
  tensorBytes: z.number(),
  /** Key-value pairs that the files themselves carry. */
  metadata: z.array(rowSchema),
  /** Pairs beyond those that are listed. */
  moreMetadata: count,
  /** The methods that the files themselves declare: those of an ONNX graph. */
  methods: z.array(methodViewSchema),
  onnx: z.nullable(onnxViewSchema),
  pickle: z.nullable(pickleViewSchema),
  warnings: z.array(z.strictObject({ code: z.string(), message: z.string() })),
  /** Set when the content could not be read; nothing else is known then. */
  broken: z.nullable(errorViewSchema),
});
/** What the headers of a model's files, or of one file, say together. */
export type ContentView = z.infer<typeof contentViewSchema>;

/** Most tensors that one answer lists. */
export const TENSOR_PART = 2_000;

/** A tensor, or another leaf of a stored tree. */
export const tensorRowSchema = z.strictObject({
  /** Relative to the model's folder; of a bare file its name. */
  file: z.string(),
  name: z.string(),
  /** Of a nested leaf its keys and positions from the root; one segment when the format has names only. */
  path: z.array(z.union([z.string(), z.number()])),
  kind: z.enum([
    "ndarray",
    "npscalar",
    "int",
    "float",
    "str",
    "bytes",
    "bool",
    "null",
    "complex",
    "empty_map",
    "empty_list",
    "ext",
  ]),
  /** `null` for a leaf that has none. */
  dtype: z.nullable(z.string()),
  /** The format's own name, for instance `BF16`. */
  nativeDtype: z.string(),
  shape: z.array(count),
  /** Absolute offset in `file`; `null` when the data is not one plain run of bytes. */
  offset: z.nullable(z.number()),
  bytes: z.number(),
});
/** A tensor, or another leaf of a stored tree. */
export type TensorRow = z.infer<typeof tensorRowSchema>;

/** A 2-d window of a tensor: which axes are rows and columns, and one index for each axis. */
export const tensorViewSchema = z.strictObject({
  /** `null` for a scalar. */
  rowAxis: z.nullable(count),
  /** `null` for a tensor of fewer than two axes. */
  columnAxis: z.nullable(count),
  /** One index per axis; those of the row and the column axis are ignored. */
  fixed: z.array(count).check(z.maxLength(64)),
});
/** A 2-d window of a tensor. */
export type TensorView = z.infer<typeof tensorViewSchema>;

/** A rectangle of a view. */
export const viewRangeSchema = z.strictObject({
  rowStart: count,
  rowCount: count,
  columnStart: count,
  columnCount: count,
});
/** A rectangle of a view. */
export type ViewRange = z.infer<typeof viewRangeSchema>;

/** Most values that one slice carries. */
const SLICE_VALUES = 16_384;
/** Most cells of a heat map along one axis. */
export const HEAT_CELLS = 256;

/** Figures of all values of a tensor; 64-bit integers are texts, `null` where no finite value is. */
export const statisticsViewSchema = z.strictObject({
  count,
  min: z.nullable(cellSchema),
  max: z.nullable(cellSchema),
  mean: z.nullable(z.number()),
  std: z.nullable(z.number()),
  nan: count,
  inf: count,
  zeros: count,
  /** Equal bins from `low` to `high` over the finite values, the last one closed. */
  histogram: z.nullable(z.strictObject({ low: z.number(), high: z.number(), counts: z.array(count) })),
});
/** Figures of all values of a tensor. */
export type StatisticsView = z.infer<typeof statisticsViewSchema>;

/** A view scaled down; a cell is the mean of what it covers, `null` where it covers no finite value. */
export const heatMapSchema = z.strictObject({
  rows: count,
  columns: count,
  means: z.array(z.nullable(z.number())),
  /** Whether only a part of the values was read. */
  sampled: z.boolean(),
});
/** A view scaled down. */
export type HeatMapView = z.infer<typeof heatMapSchema>;

const tensor = count;
const side = z.int().check(z.gte(1), z.lte(HEAT_CELLS));
const sliceRange = viewRangeSchema.check(
  z.refine(({ rowCount, columnCount }) => rowCount * columnCount <= SLICE_VALUES),
);

/** Parameters and result of every request about content. */
export const contentRequestSchemas = {
  "content/describe": [z.strictObject({}), contentViewSchema],
  "content/tensors": [
    z.strictObject({ start: count, count: z.int().check(z.gte(1), z.lte(TENSOR_PART)) }),
    z.strictObject({ tensors: z.array(tensorRowSchema) }),
  ],
  "tensor/slice": [
    z.strictObject({ tensor, view: tensorViewSchema, range: sliceRange }),
    z.strictObject({ values: cellsSchema }),
  ],
  "tensor/heatMap": [z.strictObject({ tensor, view: tensorViewSchema, rows: side, columns: side }), heatMapSchema],
  "tensor/statistics": [z.strictObject({ tensor }), statisticsViewSchema],
  "tensor/export": [
    z.strictObject({
      tensor,
      view: z.nullable(tensorViewSchema),
      range: z.nullable(viewRangeSchema),
      format: z.enum(["npy", "csv", "json"]),
    }),
    z.strictObject({ saved: z.nullable(z.strictObject({ name: z.string(), bytes: z.number() })) }),
  ],
  "tensor/copy": [
    z.strictObject({ tensor, view: tensorViewSchema, range: viewRangeSchema, format: z.enum(["csv", "json"]) }),
    z.strictObject({ characters: count }),
  ],
} as const;

type Schemas = typeof contentRequestSchemas;

/** Every request about the content of a page's subject, `[parameters, result]`. */
export interface ContentRequests {
  /** What the headers say; fails only when it is cancelled. */
  "content/describe": [z.infer<Schemas["content/describe"][0]>, ContentView];
  /** A part of the list of tensors; it may be shorter than asked for, and is empty beyond the end. */
  "content/tensors": [z.infer<Schemas["content/tensors"][0]>, { tensors: TensorRow[] }];
  /** A rectangle of values, row-major and exact. */
  "tensor/slice": [z.infer<Schemas["tensor/slice"][0]>, z.infer<Schemas["tensor/slice"][1]>];
  "tensor/heatMap": [z.infer<Schemas["tensor/heatMap"][0]>, HeatMapView];
  /** Reads the whole tensor; `content/progress` says how far it is. */
  "tensor/statistics": [z.infer<Schemas["tensor/statistics"][0]>, StatisticsView];
  /** Writes a tensor, or without `range` the whole view of it, to a file that the user names; `null` = dismissed. */
  "tensor/export": [z.infer<Schemas["tensor/export"][0]>, z.infer<Schemas["tensor/export"][1]>];
  /** Puts the values on the clipboard as text. */
  "tensor/copy": [z.infer<Schemas["tensor/copy"][0]>, z.infer<Schemas["tensor/copy"][1]>];
}

/** How far work on a tensor is. */
export const contentProgressSchema = z.strictObject({
  tensor,
  work: z.enum(["statistics", "export"]),
  doneBytes: z.number(),
  totalBytes: z.nullable(z.number()),
});
/** How far work on a tensor is. */
export type ContentProgress = z.infer<typeof contentProgressSchema>;
