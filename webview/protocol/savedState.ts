import * as z from "zod/mini";
import { editInputSchema } from "./views";

/** Number of the shape below; state of another one is dropped. */
export const STATE_SCHEMA = 2;

/** The tabs of the details editor. */
export type Section = "overview" | "signatures" | "test";

const stateSchema = z.strictObject({
  schema: z.literal(STATE_SCHEMA),
  store: z.string(),
  tag: z.string(),
  section: z.enum(["overview", "signatures", "test"]),
  /** The form that is open, with what was typed. */
  edit: z.nullable(editInputSchema),
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
  return text === "signatures" || text === "test" ? text : "overview";
}
