import * as z from "zod/mini";
import { tensorRowSchema, verdictSchema } from "./content";
import { errorViewSchema, methodViewSchema, rowSchema } from "./views";

/*
 * What a page shows of a file that is open in an editor, beside its content; and of an archive that is looked into. A
 * page has one file, so no request names it, and no path comes from a page.
 */

const count = z.int().check(z.gte(0));

/** What is known of the file itself. */
export const fileViewSchema = z.strictObject({
  name: z.string(),
  /** Where it is, for display; of a file that is not on this disk its URI's. */
  folder: z.string(),
  /** `null` when it is gone or cannot be had. */
  bytes: z.nullable(z.number()),
  /** Milliseconds since the epoch. */
  modifiedMs: z.nullable(z.number()),
  /** Whether it is a copy of a file of another file system, for instance of an older commit. */
  isCopy: z.boolean(),
  /** It was deleted or renamed while it was open. */
  isGone: z.boolean(),
  /** Why its content cannot be had at all. */
  refusal: z.nullable(errorViewSchema),
});
/** What is known of the file itself. */
export type FileView = z.infer<typeof fileViewSchema>;

/** What the page of a file has the extension do with it. */
export const fileCommandSchema = z.enum(["saveModel", "importModel", "editFileMetadata"]);
/** What the page of a file has the extension do with it. */
export type FileCommand = z.infer<typeof fileCommandSchema>;

/** A file inside an archive. */
export const archiveMemberSchema = z.strictObject({
  path: z.string(),
  bytes: z.number(),
  /** `null` while it passes. */
  format: z.nullable(z.string()),
  verdict: z.nullable(verdictSchema),
  imports: z.array(z.string()),
  tensorCount: count,
  parameters: z.number(),
  notes: z.array(z.string()),
});
/** A file inside an archive. */
export type ArchiveMemberView = z.infer<typeof archiveMemberSchema>;

/** What the model.yaml of an archive says. */
export const archiveModelSchema = z.strictObject({
  tag: z.string(),
  module: z.string(),
  framework: z.string(),
  /** As it stands in model.yaml. */
  created: z.string(),
  /** `null` when it is no moment. */
  createdMs: z.nullable(z.number()),
  labels: z.array(rowSchema),
  metadata: z.array(rowSchema),
  methods: z.array(methodViewSchema),
});
/** What the model.yaml of an archive says. */
export type ArchiveModelView = z.infer<typeof archiveModelSchema>;

/** What a look into an archive has found since a cursor, and how far it is. */
export const archiveNewsSchema = z.strictObject({
  /** Where the next request goes on. 0 when the look began anew: what the page knows is void then. */
  cursor: count,
  /** Members that are new or of which more is known, by their place in the archive. */
  rows: z.array(z.strictObject({ index: count, member: archiveMemberSchema })),
  state: z.enum(["reading", "done", "stopped", "failed"]),
  doneBytes: z.number(),
  totalBytes: z.nullable(z.number()),
  /** Number of this look; another one when it began anew. */
  look: count,
  model: z.nullable(archiveModelSchema),
  /** Why the archive is refused. */
  error: z.nullable(errorViewSchema),
  warnings: z.array(z.string()),
  /** The file changed after the look began. */
  isStale: z.boolean(),
});
/** What a look into an archive has found since a cursor, and how far it is. */
export type ArchiveNewsView = z.infer<typeof archiveNewsSchema>;

/** Most tensors of a member that are named. */
export const MEMBER_TENSORS = 1_000;

/** Parameters and result of every request about a file or an archive. */
export const fileRequestSchemas = {
  "file/info": [z.strictObject({}), fileViewSchema],
  "file/command": [z.strictObject({ command: fileCommandSchema }), z.null()],
  "archive/look": [z.strictObject({ look: count, cursor: count }), archiveNewsSchema],
  "archive/stop": [z.strictObject({}), z.null()],
  "archive/again": [z.strictObject({}), z.null()],
  "archive/tensors": [z.strictObject({ member: count }), z.strictObject({ tensors: z.array(tensorRowSchema) })],
} as const;

type Schemas = typeof fileRequestSchemas;

/** Every request about the file of a page, `[parameters, result]`. */
export interface FileRequests {
  "file/info": [Record<string, never>, FileView];
  /** Runs a command of the extension for the file; its questions and failures appear outside the page. */
  "file/command": [z.infer<Schemas["file/command"][0]>, null];
  /** What passed since the cursor; waits until there is something, for some seconds at most. The first one starts it. */
  "archive/look": [z.infer<Schemas["archive/look"][0]>, ArchiveNewsView];
  "archive/stop": [Record<string, never>, null];
  /** Looks into the archive once more, from its beginning. */
  "archive/again": [Record<string, never>, null];
  /** The tensors of a member by their headers, the first of them. */
  "archive/tensors": [z.infer<Schemas["archive/tensors"][0]>, z.infer<Schemas["archive/tensors"][1]>];
}
