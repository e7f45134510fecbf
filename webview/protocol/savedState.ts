import * as z from "zod/mini";
import { tensorViewSchema } from "./content";
import { editInputSchema } from "./views";

/** Number of the shape below; state of another one is dropped. */
export const STATE_SCHEMA = 4;

const sectionSchema = z.enum(["overview", "signatures", "tensors", "pickle", "graph", "test"]);
/** The tabs of the details editor; which of them are there depends on what the model's files hold. */
export type Section = z.infer<typeof sectionSchema>;

/** What is chosen in the Tensors section. A tensor is known again by its number and name. */
const tensorsSchema = z.strictObject({
  chosen: z.nullable(z.strictObject({ tensor: z.int(), name: z.string(), view: tensorViewSchema })),
  isFlat: z.boolean(),
  isHeatMap: z.boolean(),
});
/** What is chosen in the Tensors section. */
export type SavedTensors = z.infer<typeof tensorsSchema>;

/** What is looked at in the Graph section; a graph is known again by its number. */
const graphSchema = z.strictObject({
  graph: z.int(),
  table: z.enum(["nodes", "values", "graphs"]),
  query: z.string(),
  op: z.nullable(z.string()),
  active: z.int(),
});
/** What is looked at in the Graph section. */
export type SavedGraph = z.infer<typeof graphSchema>;

/** In place of a store: the state is of a file, and `tag` is its name. */
export const FILE_STATE = "file";

const stateSchema = z.strictObject({
  schema: z.literal(STATE_SCHEMA),
  store: z.string(),
  tag: z.string(),
  section: sectionSchema,
  /** The form that is open, with what was typed. */
  edit: z.nullable(editInputSchema),
  tensors: z.nullable(tensorsSchema),
  graph: z.nullable(graphSchema),
});

/** What the page keeps across hiding and reloading: which model, which tab and what was typed into a form. The host keeps the rest. */
export type SavedState = z.infer<typeof stateSchema>;

/** Reads saved state; `undefined` for none or one of another schema. */
export function readSavedState(value: unknown): SavedState | undefined {
  const parsed = stateSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** The section a text names, the first one when it names none. */
export function sectionOf(text: string): Section {
  const parsed = sectionSchema.safeParse(text);
  return parsed.success ? parsed.data : "overview";
}
