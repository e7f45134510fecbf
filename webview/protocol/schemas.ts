import * as z from "zod/mini";
import { compareProgressSchema, compareRequestSchemas } from "./compare";
import { contentProgressSchema, contentRequestSchemas } from "./content";
import { fileRequestSchemas } from "./file";
import { graphRequestSchemas } from "./graph";
import { loadedObjectsSchema } from "./madeViews";
import type { EventName, HostEvents, HostRequests, RequestName, ToHost, ToPage } from "./messages";
import { pageCommandSchema } from "./pageCommand";
import {
  draftSchema,
  draftStateSchema,
  editInputSchema,
  editPartSchema,
  errorViewSchema,
  issueSchema,
  modelViewSchema,
  outputViewSchema,
  saveInputSchema,
  saveIssueSchema,
  saveSeedSchema,
  subjectSchema,
  testViewSchema,
  verifiedSchema,
} from "./views";

/** One person sees a batch form with eight or thirty-two requests; more is a benchmark's business. */
const MAX_COPIES = 64;

const aboutModel = z.strictObject({ tag: z.string() });
const nothing = z.null();
const issues = z.strictObject({ issues: z.array(issueSchema) });
const saveIssues = z.strictObject({ issues: z.array(saveIssueSchema) });
const place = z.strictObject({ line: z.int().check(z.gte(1)), column: z.int().check(z.gte(1)) });
const count = z.int().check(z.gte(0));

/** Checks parameters and result of every request; a request without a schema does not compile. */
export const requestSchemas: {
  readonly [K in RequestName]: readonly [z.ZodMiniType<HostRequests[K][0]>, z.ZodMiniType<HostRequests[K][1]>];
} = {
  "model/inspect": [aboutModel, modelViewSchema],
  "model/openYaml": [z.strictObject({ tag: z.string(), at: z.nullable(place) }), nothing],
  "model/edit": [z.strictObject({ tag: z.string(), input: editInputSchema }), saveIssues],
  "model/verify": [aboutModel, verifiedSchema],
  "model/objects": [aboutModel, z.nullable(loadedObjectsSchema)],
  "model/command": [z.strictObject({ tag: z.string(), command: pageCommandSchema }), nothing],
  "text/copy": [z.strictObject({ text: z.string().check(z.maxLength(100_000)) }), nothing],
  "test/snapshot": [aboutModel, z.strictObject({ test: testViewSchema, drafts: draftStateSchema })],
  "test/draft": [draftStateSchema, nothing],
  "test/method": [z.strictObject({ tag: z.string(), method: z.string() }), draftStateSchema],
  "test/example": [z.strictObject({ tag: z.string(), method: z.string() }), draftStateSchema],
  "test/validate": [draftStateSchema, issues],
  "test/pickFile": [z.strictObject({ tag: z.string(), input: z.string() }), draftSchema.shape.file],
  "test/run": [z.strictObject({ state: draftStateSchema, copies: z.int().check(z.gte(1), z.lte(MAX_COPIES)) }), issues],
  "test/stop": [aboutModel, nothing],
  "test/restart": [aboutModel, nothing],
  "test/allow": [aboutModel, nothing],
  "test/revoke": [aboutModel, nothing],
  "test/interpreter": [aboutModel, nothing],
  "test/engine": [
    z.strictObject({ tag: z.string(), device: z.string(), settings: z.record(z.string(), z.string()) }),
    nothing,
  ],
  "test/reuse": [z.strictObject({ tag: z.string(), id: z.string() }), draftStateSchema],
  "test/clearHistory": [aboutModel, nothing],
  "test/rows": [
    z.strictObject({ tag: z.string(), reply: count, output: z.string(), start: count, count }),
    outputViewSchema,
  ],
  ...contentRequestSchemas,
  ...compareRequestSchemas,
  ...fileRequestSchemas,
  ...graphRequestSchemas,
  "save/module": [z.strictObject({ module: z.string() }), saveSeedSchema],
  "save/validate": [saveInputSchema, saveIssues],
  "save/submit": [saveInputSchema, saveIssues],
  "save/cancel": [z.strictObject({}), nothing],
};

/** Checks every event. */
export const eventSchemas: { readonly [K in EventName]: z.ZodMiniType<HostEvents[K]> } = {
  "page/init": z.strictObject({
    subject: subjectSchema,
    strings: z.record(z.string(), z.string()),
    locale: z.string(),
    section: z.string(),
    edit: z.nullable(editPartSchema),
  }),
  "page/subject": z.strictObject({ subject: subjectSchema, section: z.string(), edit: z.nullable(editPartSchema) }),
  "model/changed": aboutModel,
  "content/changed": z.strictObject({}),
  "content/progress": contentProgressSchema,
  "compare/progress": compareProgressSchema,
  "file/changed": z.strictObject({}),
  "test/state": testViewSchema,
  "test/drafts": draftStateSchema,
};

const requestName = z.enum(Object.keys(requestSchemas) as [RequestName, ...RequestName[]]);
const eventName = z.enum(Object.keys(eventSchemas) as [EventName, ...EventName[]]);
const id = z.int().check(z.gte(0));

/** The envelope of what a page posts. */
export const toHostSchema: z.ZodMiniType<ToHost> = z.union([
  z.strictObject({ kind: z.literal("ready"), protocol: z.number() }),
  z.strictObject({ kind: z.literal("request"), id, name: requestName, params: z.unknown() }),
  z.strictObject({ kind: z.literal("cancel"), id }),
]);

/** The envelope of what a host posts. */
export const toPageSchema: z.ZodMiniType<ToPage> = z.union([
  z.strictObject({ kind: z.literal("result"), id, ok: z.literal(true), value: z.unknown() }),
  z.strictObject({ kind: z.literal("result"), id, ok: z.literal(false), error: errorViewSchema }),
  z.strictObject({ kind: z.literal("event"), name: eventName, value: z.unknown() }),
  z.strictObject({ kind: z.literal("mismatch"), protocol: z.number() }),
]);
