import * as z from "zod/mini";
import { madeFields } from "./madeViews";

/*
 * What crosses between host and page, as plain data. Each shape is one schema, and its type is inferred from
 * it, so that what the compiler believes and what is checked at the boundary cannot drift apart.
 */

/** A failure in words that a user can act on; never holds a stack. */
export const errorViewSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  remedy: z.nullable(z.string()),
  path: z.nullable(z.string()),
});
/** A failure in words that a user can act on; never holds a stack. */
export type ErrorView = z.infer<typeof errorViewSchema>;

/** One input or output of a method. A dimension is a number, a symbol, or `null` when it has no name. */
export const specViewSchema = z.strictObject({
  name: z.string(),
  type: z.enum(["tensor", "sequence", "map", "optional"]),
  dtype: z.nullable(z.string()),
  shape: z.nullable(z.array(z.union([z.int(), z.string(), z.null()]))),
});
/** One input or output of a method. A dimension is a number, a symbol, or `null` when it has no name. */
export type SpecView = z.infer<typeof specViewSchema>;

/** One callable method with what goes in and what comes out. */
export const methodViewSchema = z.strictObject({
  name: z.string(),
  inputs: z.array(specViewSchema),
  outputs: z.array(specViewSchema),
  batchable: z.boolean(),
  batchDim: z.tuple([z.int(), z.int()]),
  source: z.enum(["onnx", "model.yaml", "learned"]),
  /** Whether the method takes whatever it is given: then the drafts name its arguments, positions from 0 first. */
  isOpen: z.boolean(),
});
/** One callable method with what goes in and what comes out. */
export type MethodView = z.infer<typeof methodViewSchema>;

/** One line of a two-column table. */
export const rowSchema = z.strictObject({ key: z.string(), value: z.string() });
/** One line of a two-column table. */
export type Row = z.infer<typeof rowSchema>;

/** A part of model.yaml that the page edits; `notes` is the label `release` with the metadata text `notes`. */
export const editPartSchema = z.enum(["labels", "metadata", "signatures", "notes", "partialKwargs"]);
/** A part of model.yaml that the page edits. */
export type EditPart = z.infer<typeof editPartSchema>;

const bounded = z.string().check(z.maxLength(100_000));
const editRows = z.array(z.strictObject({ key: bounded, value: bounded })).check(z.maxLength(1000));

/**
 * What was entered in a form for one part, beside what the form started from, so that only what the user changed is
 * written. Values are texts for labels and notes, JSON for metadata, for signatures
 * `{"batchable", "batchDim"}`, and for partial arguments an object of them.
 */
export const editInputSchema = z.strictObject({ part: editPartSchema, base: editRows, entries: editRows });
/** What was entered in a form for one part, beside what the form started from. */
export type EditInput = z.infer<typeof editInputSchema>;

/** What a comparison of a model's files with what was saved found. */
export const verifiedSchema = z.strictObject({
  /** `false` = nothing was recorded of this model to compare with. */
  checked: z.boolean(),
  problems: z.array(z.strictObject({ kind: z.string(), path: z.string(), detail: z.string() })),
});
/** What a comparison of a model's files with what was saved found. */
export type VerifiedView = z.infer<typeof verifiedSchema>;

/** What an ONNX file's header says. */
export const onnxViewSchema = z.strictObject({
  irVersion: z.number(),
  producer: z.string(),
  opsets: z.array(rowSchema),
  ops: z.array(z.strictObject({ op: z.string(), count: z.number() })),
  externalFiles: z.number(),
});

/** Everything the details editor shows of one model, read from headers only. */
export const modelViewSchema = z.strictObject({
  tag: z.string(),
  isLatest: z.boolean(),
  /** Id of an open store; the host looks it up again whenever it comes back. */
  store: z.string(),
  /** Short framework name for the badge, for instance `onnx`. */
  framework: z.string(),
  /** Value of `module:` in model.yaml. */
  module: z.string(),
  path: z.string(),
  sizeBytes: z.number(),
  /** Milliseconds since the epoch. */
  createdMs: z.nullable(z.number()),
  labels: z.array(rowSchema),
  metadata: z.array(rowSchema),
  context: z.array(rowSchema),
  options: z.array(rowSchema),
  files: z.array(z.strictObject({ path: z.string(), bytes: z.number() })),
  /** Files beyond those that are listed. */
  moreFiles: z.int(),
  methods: z.array(methodViewSchema),
  pinned: z.boolean(),
  /** How it came into the store; `null` when model.yaml cannot be read. */
  origin: z.nullable(
    z.strictObject({
      kind: z.enum(["saved", "imported", "copied", "unknown"]),
      atMs: z.number(),
      from: z.nullable(z.string()),
    }),
  ),
  /** Tags of the bentos that were built with it. */
  bentos: z.array(z.string()),
  /** The label `release` and the metadata text `notes`; empty when there are none. */
  release: z.string(),
  notes: z.string(),
  /** Metadata values as JSON texts; `null` for one that can only be edited in the file. */
  metadataJson: z.array(z.strictObject({ key: z.string(), json: z.nullable(z.string()) })),
  /** The methods as model.yaml lists them. */
  declared: z.array(
    z.strictObject({ name: z.string(), batchable: z.boolean(), batchDim: z.tuple([z.int(), z.int()]) }),
  ),
  onnx: z.nullable(onnxViewSchema),
  ...madeFields,
  warnings: z.array(z.strictObject({ code: z.string(), message: z.string() })),
  /** Set when model.yaml or the model file could not be read; the rest is then as complete as it can be. */
  broken: z.nullable(errorViewSchema),
  /** Set when not even model.yaml could be read: nothing but the folder and its files is known. */
  unread: z.boolean(),
  /** Where in model.yaml the reading ended, counted from 1, with the line's text and the index in it. */
  fault: z.nullable(z.strictObject({ line: z.int(), column: z.int(), text: z.string(), at: z.int() })),
});
/** Everything the details editor shows of one model, read from headers only. */
export type ModelView = z.infer<typeof modelViewSchema>;

/** The values one input would be sent with; every source keeps its own, so that switching loses nothing. */
export const draftSchema = z.strictObject({
  source: z.enum(["form", "json", "file", "generate"]),
  /** Concrete dimensions for `form` and `generate`, outermost first. */
  dims: z.array(z.int().check(z.gte(0), z.lte(2 ** 31))).check(z.maxLength(32)),
  /** Row-major texts of the form's cells; empty when there are more than the form shows. */
  cells: z.array(z.string().check(z.maxLength(100_000))).check(z.maxLength(256)),
  json: z.string().check(z.maxLength(4 * 2 ** 20)),
  /** A file that the host picked; the page knows its handle and name, never a path to choose. */
  file: z.nullable(z.strictObject({ id: z.string(), name: z.string(), bytes: z.number() })),
  pattern: z.enum(["zeros", "ones", "range", "uniform", "normal"]),
  seed: z.int().check(z.gte(0), z.lte(2 ** 31 - 1)),
  /** What JSON becomes where nothing is declared; `auto` = lists of numbers an array, everything else what it is. */
  as: z.enum(["auto", "ndarray", "list", "dataframe"]),
  /** dtype of the numbers where nothing is declared; empty = the framework's own. */
  dtype: z.string().check(z.maxLength(100)),
});
/** The values one input would be sent with; every source keeps its own, so that switching loses nothing. */
export type Draft = z.infer<typeof draftSchema>;

/** Drafts by input name. */
export const draftsSchema = z.record(z.string(), draftSchema);
/** Drafts by input name. */
export type Drafts = z.infer<typeof draftsSchema>;

/**
 * A value of a tensor as text-safe data: a number where a JavaScript number is exact, otherwise text: 64-bit
 * integers, `-0`, `NaN`, `Infinity`, `-Infinity`, complex numbers.
 */
export const cellSchema = z.union([z.number(), z.string(), z.boolean()]);
/** Values of a tensor as text-safe data, row-major. */
export const cellsSchema = z.array(cellSchema);
/** Values of a tensor as text-safe data; see the schema. */
export type Cells = z.infer<typeof cellsSchema>;

/** A value that is no array: JSON, laid out, integers exact; or the first rows of a table. */
export const plainValueSchema = z.union([
  z.strictObject({ kind: z.literal("json"), text: z.string(), isWhole: z.boolean() }),
  z.strictObject({
    kind: z.literal("table"),
    columns: z.array(z.string()),
    /** `null` = missing. */
    rows: z.array(z.array(z.nullable(cellSchema))),
    /** All rows there are. */
    count: z.int(),
  }),
]);
/** A value that is no array. */
export type PlainValue = z.infer<typeof plainValueSchema>;

/** One output of one run; `values` is a row-major prefix when the tensor is larger than a page shows at once. */
export const outputViewSchema = z.strictObject({
  name: z.string(),
  dtype: z.string(),
  shape: z.array(z.int()),
  values: cellsSchema,
  /** Whether `test/rows` can read the rows beyond `values`. */
  pageable: z.boolean(),
  /** What is no array; then `dtype` is `string`, `shape` and `values` are empty. */
  plain: z.nullable(plainValueSchema),
});
/** One output of one run; `values` is a row-major prefix when the tensor is larger than a page shows at once. */
export type OutputView = z.infer<typeof outputViewSchema>;

/** The answer to one request; milliseconds throughout. */
export const replySchema = z.strictObject({
  error: z.nullable(errorViewSchema),
  outputs: z.array(outputViewSchema),
  unfetchable: z.array(z.strictObject({ name: z.string(), reason: z.string() })),
  loadMs: z.number(),
  queueMs: z.number(),
  batchMs: z.number(),
  runMs: z.number(),
  batchId: z.int(),
  batchSize: z.int(),
  batchRequests: z.int(),
  /** Batches the request was cut into because it has more rows than one takes. */
  batches: z.int(),
  device: z.string(),
});
/** The answer to one request; milliseconds throughout. */
export type Reply = z.infer<typeof replySchema>;

/** One finished run as the history lists it; its inputs stay with the host until they are asked for. */
export const historyItemSchema = z.strictObject({
  id: z.string(),
  atMs: z.number(),
  method: z.string(),
  outcome: z.enum(["ok", "failed", "cancelled"]),
  /** From pressing Run to the answer. */
  tookMs: z.number(),
  summary: z.string(),
});
/** One finished run as the history lists it. */
export type HistoryItem = z.infer<typeof historyItemSchema>;

/** What a model's test is doing. */
export const phaseSchema = z.enum(["idle", "loading", "running", "done", "cancelled", "failed", "crashed"]);
/** What a model's test is doing. */
export type Phase = z.infer<typeof phaseSchema>;

/** The Python that would run a model, read from its folders: nothing is started to find out. */
export const pythonViewSchema = z.strictObject({
  /** Absolute path; `null` when there is none, and then `problem` says where was looked. */
  interpreter: z.nullable(z.string()),
  /** What chose it, in words: a setting, an extension, `.venv`, `VIRTUAL_ENV`, the PATH. */
  by: z.string(),
  /** Packages that it lacks for this framework, and the one line that installs them; empty when nothing is known. */
  lacking: z.array(z.string()),
  command: z.string(),
  problem: z.nullable(errorViewSchema),
});
/** The Python that would run a model. */
export type PythonView = z.infer<typeof pythonViewSchema>;

/** What has to be decided before a model runs code, and what is known to decide it by. */
export const consentViewSchema = z.strictObject({
  /** `byName` = models that are saved here under this name are always allowed. */
  state: z.enum(["needed", "given", "byName"]),
  /** Code digest, hexadecimal. */
  digest: z.string(),
  /** Where the model came from, in words. */
  origin: z.string(),
  /** What its pickles are said to be, in words; never "safe". */
  verdict: z.string(),
  /** `module.name` of what its pickles import, the first ones. */
  imports: z.array(z.string()),
  moreImports: z.int(),
  /** Folders of the project that it may import from. */
  paths: z.array(z.string()),
  /** Whether it would run apart from the network, the home folder and the store, and in words how or why not. */
  isIsolated: z.boolean(),
  isolation: z.string(),
});
/** What has to be decided before a model runs code. */
export type ConsentView = z.infer<typeof consentViewSchema>;

/** One choice of a list. */
const choiceSchema = z.strictObject({ value: z.string(), text: z.string() });

/** How a model is loaded: what may be chosen, and what is. */
export const engineViewSchema = z.strictObject({
  device: z.string(),
  /** Devices that can be asked for here; one entry = there is nothing to choose. */
  devices: z.array(choiceSchema),
  /** Load settings by their words; an empty value = the default. */
  settings: z.array(
    z.strictObject({
      word: z.string(),
      text: z.string(),
      value: z.string(),
      /** The default in words. */
      placeholder: z.string(),
      /** What may be chosen; `null` = a number is typed. */
      choices: z.nullable(z.array(choiceSchema)),
    }),
  ),
  /** What was asked for and is not used, one sentence each; of the loaded model. */
  fallbacks: z.array(z.string()),
  /** What runs it where, once it is loaded: interpreter, isolation, versions. */
  loaded: z.array(rowSchema),
});
/** How a model is loaded. */
export type EngineView = z.infer<typeof engineViewSchema>;

/** The test of one model, shared by every page that shows it; the drafts travel apart. */
export const testViewSchema = z.strictObject({
  tag: z.string(),
  phase: phaseSchema,
  /** The failure of the phases `failed` and `crashed`. */
  error: z.nullable(errorViewSchema),
  /** Why this model cannot run here; `null` when it can. */
  refusal: z.nullable(errorViewSchema),
  /** `null` for a model that needs no Python. */
  python: z.nullable(pythonViewSchema),
  /** `null` for a model that runs no code of its own. */
  consent: z.nullable(consentViewSchema),
  engine: engineViewSchema,
  methods: z.array(methodViewSchema),
  /** Class names from the model's metadata, or empty. */
  classes: z.array(z.string()),
  /** Requests sent by the last run. */
  copies: z.int(),
  /** By request number; `null` while a reply is awaited. */
  replies: z.array(z.nullable(replySchema)),
  /** Method that `replies` belong to. */
  repliesMethod: z.string(),
  history: z.array(historyItemSchema),
});
/** The test of one model, shared by every page that shows it; the drafts travel apart. */
export type TestView = z.infer<typeof testViewSchema>;

/** The chosen method and the drafts of its inputs. */
export const draftStateSchema = z.strictObject({ tag: z.string(), method: z.string(), drafts: draftsSchema });
/** The chosen method and the drafts of its inputs. */
export type DraftState = z.infer<typeof draftStateSchema>;

/** A finding about one input before it is sent. */
export const issueSchema = z.strictObject({ input: z.string(), error: errorViewSchema });
/** A finding about one input before it is sent. */
export type Issue = z.infer<typeof issueSchema>;

const text = z.string().check(z.maxLength(100_000));

/** What the save form starts from. */
export const saveSeedSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  /** Module that the model gets. */
  module: z.string(),
  /** The modules that fit the files, as they are offered. */
  modules: z.array(z.strictObject({ module: z.string(), text: z.string() })),
  files: z.array(z.strictObject({ path: z.string(), bytes: z.number() })),
  labels: z.array(rowSchema),
  metadata: z.array(rowSchema),
  methods: z.array(methodViewSchema),
});
/** What the save form starts from. */
export type SaveSeed = z.infer<typeof saveSeedSchema>;

/** What the save form sends. Metadata values are JSON texts. */
export const saveInputSchema = z.strictObject({
  name: text,
  version: text,
  module: text,
  labels: z.array(z.strictObject({ key: text, value: text })).check(z.maxLength(1000)),
  metadata: z.array(z.strictObject({ key: text, value: text })).check(z.maxLength(1000)),
  methods: z
    .array(z.strictObject({ name: text, batchable: z.boolean(), batchDim: z.tuple([z.int(), z.int()]) }))
    .check(z.maxLength(100)),
});
/** What the save form sends. Metadata values are JSON texts. */
export type SaveInput = z.infer<typeof saveInputSchema>;

/** Finding about one field of the save form; `field` is `name`, `version`, `labels.0`, `metadata.0` or `form`. */
export const saveIssueSchema = z.strictObject({ field: z.string(), message: z.string() });
/** Finding about one field of the save form. */
export type SaveIssue = z.infer<typeof saveIssueSchema>;

const store = z.string();

/** What a page is about. `none` = the bottom panel before a model was chosen. */
export const subjectSchema = z.union([
  z.strictObject({ kind: z.literal("details"), store, tag: z.string() }),
  z.strictObject({ kind: z.literal("test"), store, tag: z.string() }),
  z.strictObject({ kind: z.literal("save"), seed: saveSeedSchema }),
  /** A file in an editor; `id` is the host's, `name` the file's. */
  z.strictObject({ kind: z.literal("file"), id: z.string(), name: z.string() }),
  /** Two versions or files that are compared, by their names. */
  z.strictObject({ kind: z.literal("compare"), a: z.string(), b: z.string() }),
  z.strictObject({ kind: z.literal("none") }),
]);
/** What a page is about. */
export type Subject = z.infer<typeof subjectSchema>;
